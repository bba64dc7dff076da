"""Figures of paying and of warnings that the operator may set in the catalogue (D2-D5). Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from talktime.core.limits import FIGURES_MAX

HOUR_MS, MINUTE_MS, SECOND_MS = 3_600_000, 60_000, 1_000


class Figure(NamedTuple):
    """A setting of whole numbers: what it is where the catalogue has none, within which bounds each
    is, and how many there may be. Several rise."""

    default: tuple[int, ...]
    least: int
    most: int
    several: bool = False


FIGURES = {
    "recharge_interval_seconds": Figure((60,), 1, 86_400),
    "recharge_retry_hours": Figure((1, 3, 7), 1, 720, several=True),
    "outcome_asked_minutes": Figure((5, 60), 1, 1_440, several=True),
    "lot_months": Figure((12,), 1, 120),
    "lot_warning_days": Figure((1, 7, 30), 1, 365, several=True),
    "card_warning_days": Figure((30,), 1, 365),
}
"""Their names in the catalogue."""


class Figures(NamedTuple):
    """How long after an attempt the next may begin (D2); when a recharge that was declined is tried
    again, after its first decline, and when an outcome that is unknown is asked about, after the
    charge and before it is daily (D3): in milliseconds. How many days before its end a lot is told
    of, the last first, and a card (D4); how many calendar months a lot lasts (D5)."""

    interval_ms: int
    retry_ms: tuple[int, ...]
    ask_ms: tuple[int, ...]
    lot_days: tuple[int, ...]
    card_days: int
    lot_months: int


def figures_of(settings: Mapping[str, str]) -> Figures:
    """The figures by the settings of a catalogue.

    >>> figures_of({}).card_days
    30
    >>> figures_of({"recharge_retry_hours": "2 12"}).retry_ms
    (7200000, 43200000)
    """
    found = {name: _read(name, settings.get(name)) for name in FIGURES}
    return Figures(
        found["recharge_interval_seconds"][0] * SECOND_MS,
        tuple(hours * HOUR_MS for hours in found["recharge_retry_hours"]),
        tuple(minutes * MINUTE_MS for minutes in found["outcome_asked_minutes"]),
        found["lot_warning_days"],
        found["card_warning_days"][0],
        found["lot_months"][0],
    )


def figure_fault(name: str, text: str) -> str | None:
    """Why a setting cannot be so; None where it can.

    >>> figure_fault("recharge_retry_hours", "1 3 7"), figure_fault("card_warning_days", "30")
    (None, None)
    >>> figure_fault("recharge_retry_hours", "3 1")
    "value: '3 1' does not rise"
    >>> figure_fault("card_warning_days", "0")
    "value: '0' is not whole numbers from 1 to 365"
    """
    figure = FIGURES[name]
    words = text.split()
    whole = all(word.isascii() and word.isdigit() and len(word) < 10 for word in words)
    numbers = [int(word) for word in words] if whole else []
    if not numbers or any(not figure.least <= each <= figure.most for each in numbers):
        least, most = figure.least, figure.most
        return f"value: {text[:40]!r} is not whole numbers from {least} to {most}"
    if len(numbers) > (FIGURES_MAX if figure.several else 1):
        return f"value: {text[:40]!r} has too many numbers"
    if numbers != sorted(set(numbers)):
        return f"value: {text[:40]!r} does not rise"
    return None


def _read(name: str, text: str | None) -> tuple[int, ...]:
    if text is None or figure_fault(name, text) is not None:
        return FIGURES[name].default
    return tuple(int(word) for word in text.split())


DEFAULT_FIGURES = figures_of({})
