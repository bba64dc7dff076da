"""The one way in which a database fails."""


class Outage(Exception):
    """The database cannot take the transaction now: away, read-only, full, or of another version.
    Nothing was changed, or (when a commit's answer was lost) asking again with the same key
    tells."""
