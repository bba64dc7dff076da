"""The number that is called, as the gates see it."""

from typing import NamedTuple

PREMIUM, SHARED_COST, TOLL_FREE = "premium", "shared_cost", "toll_free"
CALLED_KINDS = (
    *("fixed", "mobile", "fixed_or_mobile", TOLL_FREE, PREMIUM, SHARED_COST),
    *("voip", "personal", "uan", ""),
)


class Called(NamedTuple):
    """The number that is called: E.164 digits, its country (empty for none), its kind. `home` is
    the caller's own country where the number is as much one of that: a toll-free number of North
    America, called from Canada."""

    digits: str
    country: str
    kind: str = ""
    home: str = ""

    @property
    def countries(self) -> tuple[str, ...]:
        """All countries whose number it is.

        >>> Called("18005550199", "US", "toll_free", "CA").countries
        ('CA', 'US')
        """
        return (self.home, self.country) if self.home else (self.country,)
