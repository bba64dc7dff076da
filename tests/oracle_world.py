"""What is sold and how the world is divided, as the rules have it: typed by hand, for the oracle.

Nothing here comes from the package or its seeded catalogue, so that a slip there shows.
"""


def codes(text: str) -> frozenset[str]:
    """The codes of a text with spaces between them."""
    return frozenset(text.split())


ZONE_A = codes(
    "AU AT BE BR BG CA CN HR CZ DK EE FI FR DE GR HK HU IN IE IT JP LU MY MX NL NZ NO PL PT PR RO "
    "RU SG SK SI ZA KR ES SE CH TW TH GB US"
)
"""44 countries to which the pool of Audio Conferencing reaches (R52)."""
ZONE_1 = codes("US PR CA GB")
ZONE_2 = codes(
    "AT BE HR CZ DK EE FI FR DE HU IE IT LV LT LU NL NZ NO PL PT RO SG SK SI ZA ES SE CH"
)
WITHOUT_CREDITS = codes("BH CN IN KZ MK NI PK KR RU TW UA")
"""Where no organisation can have Communications Credits."""
WITH_PREMIUM = codes("AT FR")
"""Where premium and shared-cost numbers can be called."""

BUNDLES = {
    "MCOTEAMS_ESSENTIALS": ("MCOEV", "MCOPSTN1"),
    "ENTERPRISEPREMIUM": ("MCOEV", "MCOMEETADV"),
}
CREDITS, RESOURCE, BASIC = "MCOPSTNC", "PHONESYSTEM_VIRTUALUSER", "MCOMEETBASIC"
CONFERENCING, PER_MINUTE, EXTENDED = "MCOMEETADV", "MCOMEETACPEA", "MCOMEETADD_DIALOUT_US"
PHONES = frozenset({"MCOEV", "MCOCAP"})
PLANS = ("MCOPSTN1", "MCOPSTN2", "MCOPSTN5", "MCOPSTN6", "MCOPSTN8", "MCOPSTN9")
INTERNATIONAL_PLANS = frozenset({"MCOPSTN2", "MCOPSTN9"})
PAYG = frozenset({"MCOPSTN_PAYG_1", "MCOPSTN_PAYG_2", "MCOPSTN_PAYG_MX"})
ALLOTMENTS = {"MCOPSTN5": 120, "MCOPSTN6": 240, "MCOPSTN8": 120}

ANY, DOMESTIC, ZONE_A_ONLY, NOBODY = "any", "domestic", "zone A", "nobody"
POLICIES = {
    "DialoutCPCandPSTNInternational": (ANY, ANY),
    "DialoutCPCDomesticPSTNInternational": (DOMESTIC, ANY),
    "DialoutCPCDisabledPSTNInternational": (NOBODY, ANY),
    "DialoutCPCInternationalPSTNDomestic": (ANY, DOMESTIC),
    "DialoutCPCInternationalPSTNDisabled": (ANY, NOBODY),
    "DialoutCPCandPSTNDomestic": (DOMESTIC, DOMESTIC),
    "DialoutCPCDomesticPSTNDisabled": (DOMESTIC, NOBODY),
    "DialoutCPCDisabledPSTNDomestic": (NOBODY, DOMESTIC),
    "DialoutCPCandPSTNDisabled": (NOBODY, NOBODY),
    "DialoutCPCZoneAPSTNInternational": (ZONE_A_ONLY, ANY),
    "DialoutCPCZoneAPSTNDomestic": (ZONE_A_ONLY, DOMESTIC),
    "DialoutCPCZoneAPSTNDisabled": (ZONE_A_ONLY, NOBODY),
}
"""Where meetings and where users may call, by policy; the first is what holds without one."""


def unbundled(licences: frozenset[str]) -> frozenset[str]:
    """The licences, with what comes in a bundle."""
    inside = {inner for code in licences for inner in BUNDLES.get(code, ())}
    return licences | inside


def domestic_area(country: str) -> str:
    """The United States are fifty states and Puerto Rico (R45)."""
    return "US" if country in ("US", "PR") else country


def minutes_area(country: str) -> str:
    """Calls between the United States and Canada use domestic minutes (R44)."""
    return "US" if country in ("US", "PR", "CA") else country


def plan_minutes(plan: str, location: str, month: str) -> tuple[int, int]:
    """Domestic and international minutes that one user's plan adds, by usage location."""
    if plan not in PLANS or (location not in ZONE_1 | ZONE_2 and location != "MX"):
        return 0, 0
    if plan in ALLOTMENTS:
        return (0 if location == "MX" else ALLOTMENTS[plan]), 0
    large = ("US", "CA", "GB") if month >= "2023-01" else ("US", "CA")
    domestic = 3000 if location in large else 1200
    return domestic, (600 if plan in INTERNATIONAL_PLANS else 0)


def conference_minutes(country: str) -> int:
    """What each Audio Conferencing subscription adds, by the organisation's country (R59)."""
    return 900 if country in ("KR", "RU", "TW") else 60
