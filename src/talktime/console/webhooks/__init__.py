"""Where an organisation's programs are told, and what became of it."""
