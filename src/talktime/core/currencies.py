"""Minor units: the whole numbers in which banks and payment providers count each currency.

Sources: ISO 4217 (list one, the column "minor unit"); Stripe, "Supported currencies", for what its
API counts otherwise.
"""

from talktime.core.money import DECIMALS_MAX

DECIMALS_DEFAULT = 2
DECIMALS = {
    **dict.fromkeys(
        (
            *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI"),
            *("VND", "VUV", "XAF", "XOF", "XPF"),
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
"""Currencies whose minor unit is no hundredth, by how many decimals they have."""

STRIPE_DECIMALS = {"ISK": 2, "UGX": 2, "MGA": 0}
"""Where Stripe's API counts otherwise than ISO 4217. ISK and UGX have no minor unit any more, but
its amounts are in hundredths still (which must be 00); of MGA, whose unit has fifths, it counts
whole ones."""

STRIPE_SMALLEST = {"ISK": 100, "UGX": 100, "BHD": 10, "JOD": 10, "KWD": 10, "OMR": 10, "TND": 10}
"""Amounts at Stripe are a multiple of this many of its minor units; of 1 in other currencies. Of
thousandths, cards take whole hundredths alone."""


def decimals_of(currency: str) -> int:
    """How many decimals a currency has by ISO 4217.

    >>> decimals_of("USD"), decimals_of("JPY"), decimals_of("KWD")
    (2, 0, 3)
    """
    return DECIMALS.get(currency, DECIMALS_DEFAULT)


def stripe_decimals_of(currency: str) -> int:
    """How many decimals a currency has in Stripe's amounts.

    >>> stripe_decimals_of("USD"), stripe_decimals_of("ISK"), stripe_decimals_of("KWD")
    (2, 2, 3)
    """
    return STRIPE_DECIMALS.get(currency, decimals_of(currency))


def minor_units(micros: int, decimals: int) -> int:
    """The amount as a whole number of minor units, exactly.

    Raises ValueError where it is none: to round is not for whoever sends money.

    >>> minor_units(12_340_000, 2), minor_units(5_000_000, 0), minor_units(1_234_000, 3)
    (1234, 5, 1234)
    """
    minor, rest = divmod(micros, _unit_micros(decimals))
    if rest:
        raise ValueError(f"{micros} micros are no whole number of units of {decimals} decimals")
    return minor


def micros_of(minor: int, decimals: int) -> int:
    """A number of minor units as micros.

    >>> micros_of(1234, 2), micros_of(5, 0), micros_of(1234, 3)
    (12340000, 5000000, 1234000)
    """
    return minor * _unit_micros(decimals)


def stripe_amount(micros: int, currency: str) -> int:
    """The amount as Stripe's API takes it. Raises ValueError where it cannot be charged exactly.

    >>> stripe_amount(12_340_000, "USD"), stripe_amount(500_000_000, "ISK")
    (1234, 50000)
    """
    amount = minor_units(micros, stripe_decimals_of(currency))
    smallest = STRIPE_SMALLEST.get(currency, 1)
    if amount % smallest:
        raise ValueError(f"{amount} of {currency} is no multiple of {smallest}")
    return amount


def micros_of_stripe(amount: int, currency: str) -> int:
    """An amount of Stripe's as micros.

    >>> micros_of_stripe(1234, "USD"), micros_of_stripe(50_000, "ISK")
    (12340000, 500000000)
    """
    return micros_of(amount, stripe_decimals_of(currency))


def _unit_micros(decimals: int) -> int:
    if not 0 <= decimals <= DECIMALS_MAX:
        raise ValueError(f"a currency has 0 to {DECIMALS_MAX} decimals, not {decimals}")
    unit: int = 10 ** (DECIMALS_MAX - decimals)
    return unit
