"""The one way in which a database fails; and the one in which it is used wrongly."""


class Outage(Exception):
    """The database cannot take the transaction now: away, read-only, full, or of another version.
    Nothing was changed, or (when a commit's answer was lost) asking again with the same key
    tells."""


class WithinAnother(RuntimeError):
    """A transaction was opened within another: a bug. The inner one's end would be the outer's on
    PostgreSQL, and a wait for itself on SQLite. Who calls opens and commits it."""
