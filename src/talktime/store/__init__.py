"""The only SQL of the project: set-based, constant text, the same on SQLite and PostgreSQL where
it can be."""
