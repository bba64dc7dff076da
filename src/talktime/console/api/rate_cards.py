"""`/api/v1/rate-cards`: prices by prefix, published by the operator."""

from typing import Annotated, Any

from ninja import Path
from pydantic import Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.refusals import refuse_rows
from talktime.console.api.shapes import (
    Amount,
    IdText,
    Moment,
    Sent,
    SentMoment,
    Shown,
    listing,
)
from talktime.core.keys import OPERATOR
from talktime.core.limits import CARD_NAME_TEXT_MAX, SOURCE_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.csv_rows import BadFile
from talktime.operations.import_rates import Changes, ImportReport, import_rates
from talktime.operations.rate_file import read_rate_file
from talktime.store.rates import CardVersion, versions_of

WAYS = ("added", "dropped", "dearer", "cheaper")
cards = Resource("Rate cards", "Prices by prefix; published whole.", at_organisation=False)
Answer = dict[str, Any]
CardName = Annotated[str, Path(max_length=CARD_NAME_TEXT_MAX, description="A card's name.")]


class Version(Shown):
    """A version of a card, in force from a moment on."""

    version_id: IdText
    card: str
    currency: str
    valid_from: Moment
    rates: int


class Price(Shown):
    """What calls to a prefix cost."""

    destination: str
    per_minute: Amount = Field(validation_alias="per_minute_micros")
    connection_fee: Amount = Field(validation_alias="fee_micros")
    first_increment_s: int
    next_increment_s: int


class PriceChange(Shown):
    """A prefix whose price changes; `old` and `new` are null where it is not there."""

    direction: str
    prefix: str
    old: Price | None
    new: Price | None


class SomeChanges(Shown):
    """How many prefixes change in one way, and the first of them."""

    count: int
    examples: list[PriceChange]


class Published(Shown):
    """What was published, or would be, against the version that it replaces."""

    version: Version
    dry_run: bool
    replaces: Version | None
    added: SomeChanges
    dropped: SomeChanges
    dearer: SomeChanges
    cheaper: SomeChanges
    unchanged: int


class SentRates(Sent):
    """A rate file, as docs/reference/rate-files.md describes it, as a text."""

    currency: str = Field(pattern="^[A-Z]{3}$")
    file: str = Field(min_length=1, description="CSV.")
    source: str = Field("API", max_length=SOURCE_TEXT_MAX, description="Where it is from.")
    valid_from: SentMoment | None = Field(None, description="Without it: from now on.")
    dry_run: bool = False


VERSIONS = listing("versions", Version, paged=False)


@cards.reads("/rate-cards/{card}", VERSIONS, by=(OPERATOR,))
def get_versions(asked: Asked, card: CardName) -> Answer:
    """The versions of a card, in the order in which they come into force."""
    with asked.control.reading():
        return {"versions": [_version(each) for each in versions_of(asked.control, card)]}


@cards.does(
    *("POST", "/rate-cards/{card}/versions", Published),
    by=(OPERATOR,),
    refusals=("already_exists",),
    sent={
        "currency": "USD",
        "file": "prefix,destination,price_per_minute\n49,Germany,0.015\n",
        "dry_run": True,
    },
)
def post_version(asked: Asked, card: CardName, sent: SentRates) -> Any:
    """Publish a rate file as a new version of a card: whole, or nothing of it.

    With `dry_run` it is only compared with the version that would be in force.
    """
    start_ms = asked.now_ms if sent.valid_from is None else sent.valid_from
    rows = read_rate_file(sent.file.encode(errors="surrogatepass"), valid_from_ms=start_ms)
    if isinstance(rows, BadFile):
        return refuse_rows("invalid_value", rows)
    with asked.control.transaction():
        report = import_rates(
            *(asked.control, rows),
            name=card,
            currency=sent.currency,
            source=sent.source,
            valid_from_ms=start_ms,
            now_ms=asked.now_ms,
            next_id=asked.next_id,
            dry_run=sent.dry_run,
        )
    return report if isinstance(report, Refusal) else _published(report)


def _version(version: CardVersion) -> Answer:
    return {
        "version_id": str(version.id),
        "card": version.name,
        "currency": version.currency,
        "valid_from": version.valid_from_ms,
        "rates": version.row_count,
    }


def _published(report: ImportReport) -> Answer:
    ways: dict[str, Changes] = {way: getattr(report, way) for way in WAYS}
    return {
        "version": _version(report.version),
        "dry_run": report.dry_run,
        "replaces": None if report.replaces is None else _version(report.replaces),
        **ways,
        "unchanged": report.unchanged,
    }
