"""Money is an integer of micros, millionths of the currency's unit. No float, no bare division.

Every place where money is rounded is a function of this module, named for how it rounds.
"""

import re
from functools import lru_cache

from talktime.core.limits import AMOUNT_MICROS_MAX, AMOUNTS_CACHED_MAX

MICROS_PER_UNIT = 1_000_000
DECIMALS_MAX = 6

_DECIMAL = re.compile(r"(-?)([0-9]{1,40})(?:\.([0-9]+))?")


def ceil_div(dividend: int, divisor: int) -> int:
    """Divide and round up, towards plus infinity: the one rounding of a price (D9).

    >>> ceil_div(7, 2), ceil_div(6, 2), ceil_div(-7, 2)
    (4, 3, -3)
    """
    return -(-dividend // divisor)


def parse_micros(text: str) -> int:
    """Read a decimal number of currency units, exactly, as micros.

    Raises ValueError, saying what is wrong, for what is not plain digits (a sign other than
    minus, an exponent, NaN, spaces), for more than six decimals, and for more than
    limits.AMOUNT_MICROS_MAX.

    >>> parse_micros("99.955"), parse_micros("-0.000001"), parse_micros("12")
    (99955000, -1, 12000000)
    """
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a decimal number such as 12.5")
    sign, units, decimals = match.group(1), match.group(2), match.group(3) or ""
    if len(decimals) > DECIMALS_MAX:
        raise ValueError(f"{text[:40]!r} has more than {DECIMALS_MAX} decimals")
    micros = int(units) * MICROS_PER_UNIT + int(decimals.ljust(DECIMALS_MAX, "0"))
    if micros > AMOUNT_MICROS_MAX:
        raise ValueError(f"{text[:40]!r} is more than {decimal_text(AMOUNT_MICROS_MAX)}")
    return -micros if sign else micros


@lru_cache(AMOUNTS_CACHED_MAX)
def decimal_text(micros: int) -> str:
    """Write micros as the exact decimal number of units, without trailing zeros.

    >>> decimal_text(99_955_000), decimal_text(0), decimal_text(-1), decimal_text(5_000_000)
    ('99.955', '0', '-0.000001', '5')
    """
    if micros < 0:
        return "-" + decimal_text(-micros)
    units, rest = divmod(micros, MICROS_PER_UNIT)
    return f"{units}.{rest:06}".rstrip("0") if rest else str(units)


def half_up_minor_units(micros: int, decimals: int) -> int:
    """Round to a currency's minor units for display: half a unit rounds away from zero.

    `decimals` is the currency's own (D19): 2 for USD, 0 for JPY, 3 for KWD. Symmetric, so that
    a correction shows the same digits as the charge it takes back.

    >>> half_up_minor_units(5_000, 2), half_up_minor_units(-5_000, 2), half_up_minor_units(4_999, 2)
    (1, -1, 0)
    """
    if not 0 <= decimals <= DECIMALS_MAX:
        raise ValueError(f"a currency has 0 to {DECIMALS_MAX} decimals, not {decimals}")
    unit: int = 10 ** (DECIMALS_MAX - decimals)
    size = (abs(micros) + unit // 2) // unit
    return -size if micros < 0 else size


def half_up_text(micros: int, decimals: int = 2) -> str:
    """Write micros for display, rounded half up to a fixed number of decimals (D9, D19).

    >>> half_up_text(99_955_000), half_up_text(-5_000), half_up_text(1_500_000, 0)
    ('99.96', '-0.01', '2')
    """
    minor = half_up_minor_units(micros, decimals)
    digits = str(abs(minor)).rjust(decimals + 1, "0")
    sign = "-" if minor < 0 else ""
    return sign + (f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits)
