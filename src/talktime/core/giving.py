"""How much one person may still give away without the approval of a second."""

from collections.abc import Mapping

WINDOW_MS = 86_400_000
"""What somebody gave counts for so long."""
_PARTS = 10**9


def room_micros(given_micros: Mapping[str, int], limits: Mapping[str, int], currency: str) -> int:
    """What a person may still give alone in a currency, in micros of it.

    `given_micros` is what they gave alone in the window, by currency; `limits` has what one may
    give in each of these, and in `currency`. What was given in another currency uses up the same
    part of this one's limit, so that nobody has as many limits as there are currencies.

    >>> limits = {"EUR": 500, "USD": 1000}
    >>> room_micros({}, limits, "EUR"), room_micros({"EUR": 120}, limits, "EUR")
    (500, 380)
    >>> room_micros({"EUR": 120, "USD": 500}, limits, "EUR")
    130
    >>> room_micros({"USD": 1}, {"EUR": 500, "USD": 0}, "EUR")
    0
    """
    used_parts = sum(
        _parts(micros, limits[code]) for code, micros in given_micros.items() if code != currency
    )
    limit_micros = limits[currency]
    left_micros = limit_micros * max(0, _PARTS - used_parts) // _PARTS
    return max(0, left_micros - given_micros.get(currency, 0))


def _parts(micros: int, limit_micros: int) -> int:
    """Which part of a limit that is, rounded up; all of one that is zero."""
    return _PARTS if limit_micros <= 0 else -(-micros * _PARTS // limit_micros)
