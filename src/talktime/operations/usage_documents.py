"""Usage records as others read them: the rows of the export, and documents like a
`pstnCallLogRow`. In all of them the other party's last digits are hidden (R78)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from babel import Locale

from talktime.core.calls import INBOUND_TYPES, UsageRecord
from talktime.core.catalogue import Catalogue
from talktime.core.directory import TOLL, TOLL_FREE, Organisation
from talktime.core.masking import Parties, shown_parties
from talktime.core.money import decimal_text, half_up_text
from talktime.operations.calling_places import Places, country_of
from talktime.store.database import Connection
from talktime.store.keys import Switch, switches_by_name
from talktime.store.numbers import numbers_of_digits
from talktime.store.usage_rows import Person, people_of

BOT_TYPES = ("ucap_in", "ucap_out")
NUMBER_TYPES = {TOLL: "TollService", TOLL_FREE: "TollFreeService"}
SUBSCRIBER = "Subscriber"
DURATION_SOURCE = "operator"
"""The switch, which is the operator's, says how long a call was."""
SWITCHES_READ = 1_000

EXPORT_COLUMNS = (
    *("UsageId", "Call ID", "Conference ID", "User Location", "AAD ObjectId", "UPN"),
    *("User Display Name", "Caller ID", "Call Type", "Number Type", "Domestic/International"),
    *("Destination Dialed", "Destination Number", "Start Time", "End Time", "Duration Seconds"),
    *("Connection Fee", "Charge", "Currency", "Capability"),
    *("External Country", "Call Direction", "Operator", "Source of Call Duration"),
    *("Administrative unit",),
    *("Record Kind", "Billed Seconds", "Included Seconds", "Connection Fee Exact"),
    *("Charge Exact", "Paid After Use Exact"),
)
"""The header of the export: the twenty columns of old in their order, the later five, then ours."""
SECONDS_COLUMNS = ("Duration Seconds", "Billed Seconds", "Included Seconds")
AMOUNT_COLUMNS = ("Connection Fee", "Charge")


class UsageRow(NamedTuple):
    """A usage record with what it means: who it is of, who called whom, from where to where.

    For calls of bots there is no user (R77). Countries are ISO codes, `context` is Domestic,
    International or '' (inbound), `number_type` that of the organisation's own number.
    """

    record: UsageRecord
    person: Person | None
    location: str
    parties: Parties
    from_country: str
    to_country: str
    context: str
    number_type: str
    operator: str

    @property
    def inbound(self) -> bool:
        """Whether somebody called in."""
        return self.record.type in INBOUND_TYPES

    @property
    def other_country(self) -> str:
        """The other party's country."""
        return self.from_country if self.inbound else self.to_country

    @property
    def destination(self) -> str:
        """The country dialled, by its English name; of an emergency call, what was."""
        return country_name(self.to_country) or self.record.destination


class Describer:
    """Says what records mean; for one organisation, and one page or chunk after the other."""

    def __init__(
        self, control: Connection, cell: Connection, owner: Organisation, catalogue: Catalogue
    ) -> None:
        self._control, self._cell, self._owner, self._catalogue = control, cell, owner, catalogue
        self._masked_digits = catalogue.country(owner.country).masked_digits
        self._people: dict[int, Person] = {}
        self._kinds: dict[str, str] = {}
        self._operators: dict[int, str] | None = None

    def rows(self, records: Iterable[UsageRecord]) -> list[UsageRow]:
        """Each record with what it means. Reads what is not known yet; raises Outage."""
        records = list(records)
        self._learn(records)
        locations = {person.id: person.usage_location for person in self._people.values()}
        places = Places(self._owner, self._catalogue, locations)
        return [self._row(record, places) for record in records]

    def _row(self, record: UsageRecord, places: Places) -> UsageRow:
        type_, from_digits, to_digits = record.type, record.from_digits, record.to_digits
        bot = type_ in BOT_TYPES
        to_country = country_of(to_digits)
        own = to_digits if type_ in INBOUND_TYPES else from_digits
        return UsageRow(
            record,
            None if bot else self._people.get(record.user_id or 0),
            places.location(record.user_id),
            shown_parties(type_, from_digits, to_digits, self._masked_digits),
            country_of(from_digits),
            to_country,
            places.context(type_, record.user_id, to_country, to_digits),
            self._kinds.get(own, SUBSCRIBER),
            (self._operators or {}).get(record.switch_id, ""),
        )

    def _learn(self, records: list[UsageRecord]) -> None:
        users = {each.user_id for each in records if each.user_id is not None}
        new_users = users - self._people.keys()
        if new_users:
            self._people |= people_of(self._cell, self._owner.id, new_users)
        own = {
            each.to_digits if each.type in INBOUND_TYPES else each.from_digits for each in records
        }
        new_numbers = own - self._kinds.keys() - {""}
        with self._control.reading():
            if new_numbers:
                self._kinds |= dict.fromkeys(new_numbers, SUBSCRIBER)
                for entry in numbers_of_digits(self._control, sorted(new_numbers)):
                    self._kinds[entry.digits] = NUMBER_TYPES.get(entry.kind, SUBSCRIBER)
            if self._operators is None:
                switches = _switches(self._control)
                self._operators = {switch.id: switch.operator for switch in switches}


def export_fields(row: UsageRow) -> list[str]:
    """A record as a row of the export, by EXPORT_COLUMNS. `Charge` is the whole, the fee with it
    (A21), rounded half up; the exact figures stand at the end."""
    record, person = row.record, row.person
    return [
        *(usage_guid(record.id), record.call_key, record.conference_id, row.location),
        *((str(UUID(int=person.id)), person.name, person.display_name) if person else ("",) * 3),
        *(row.parties.caller, record.type, row.number_type, row.context),
        *(row.destination, row.parties.callee),
        *(_seconds(record.started_ms), _seconds(record.ended_ms), str(record.used_s)),
        *(half_up_text(record.fee_micros), half_up_text(record.charge_micros), record.currency),
        *(record.capability, row.other_country, "Inbound" if row.inbound else "Outbound"),
        *(row.operator, DURATION_SOURCE, ""),
        *(record.kind, str(record.billed_s), str(record.pool_s)),
        *(decimal_text(record.fee_micros), decimal_text(record.charge_micros)),
        decimal_text(record.post_micros),
    ]


def call_log_row(row: UsageRow, tenant_country: str) -> dict[str, Any]:
    """A record as the document that programs know from `getPstnCalls` (`callerNumber` called,
    `calleeNumber` was called: D17). The charges are Decimals of hundredths, to be written as
    numbers, the fee within the charge; the exact figures stand beside them as decimal text."""
    record, person = row.record, row.person
    return {
        "id": usage_guid(record.id),
        "callId": record.call_key,
        "userId": str(UUID(int=person.id)) if person else "",
        "userPrincipalName": person.name if person else "",
        "userDisplayName": person.display_name if person else "",
        "startDateTime": moment_text(record.started_ms),
        "endDateTime": moment_text(record.ended_ms),
        "duration": record.used_s,
        "charge": Decimal(half_up_text(record.charge_micros)),
        "callType": record.type,
        "currency": record.currency,
        "calleeNumber": row.parties.callee,
        "callerNumber": row.parties.caller,
        "usageCountryCode": row.location,
        "tenantCountryCode": tenant_country,
        "otherPartyCountryCode": row.other_country,
        "connectionCharge": Decimal(half_up_text(record.fee_micros)),
        "destinationContext": row.context or None,
        "destinationName": row.destination,
        "conferenceId": record.conference_id or None,
        "licenseCapability": record.capability,
        "inventoryType": row.number_type,
        "operator": row.operator,
        "callDurationSource": DURATION_SOURCE,
        "usageId": str(record.id),
        "kind": record.kind,
        "exactCharge": decimal_text(record.charge_micros),
        "exactConnectionCharge": decimal_text(record.fee_micros),
        "billedSeconds": record.billed_s,
        "includedSeconds": record.pool_s,
    }


def usage_guid(usage_id: int) -> str:
    """The id of a record in the form of a GUID, as readers of such rows expect one; its last
    digits are the id itself, in hexadecimal.

    >>> usage_guid(255)
    '00000000-0000-0000-0000-0000000000ff'
    """
    return str(UUID(int=usage_id))


def moment_text(at_ms: int) -> str:
    """A moment (ms) with the seven digits below the second that such rows have.

    >>> moment_text(1_500)
    '1970-01-01T00:00:01.5000000Z'
    """
    return f"{_seconds(at_ms)[:-1]}.{at_ms % 1000:03}0000Z"


@lru_cache(1_024)
def country_name(country: str, language: str = "en") -> str:
    """A country's name; of what is none, nothing.

    >>> country_name("NO"), country_name("NO", "de"), country_name("")
    ('Norway', 'Norwegen', '')
    """
    return str(Locale.parse(language).territories.get(country, country)) if country else ""


def _seconds(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _switches(control: Connection) -> list[Switch]:
    found: list[Switch] = []
    while page := switches_by_name(control, found[-1].name if found else "", SWITCHES_READ):
        found += page
    return found
