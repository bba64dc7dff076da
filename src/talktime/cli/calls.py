"""`talktime quote` and `talktime call`: the charging API by hand, as a switch would use it."""

from typing import Annotated, Any

import typer
from rich.console import RenderableType

from talktime.cli import FAILURE_EXIT
from talktime.cli.api import Api, Key, Reply, Url, call_path, opened_api
from talktime.cli.failures import Failure
from talktime.cli.output import Json, console, lines, panel, show, table

group = typer.Typer(
    no_args_is_help=True, help="Make a call's requests by hand, over HTTP, as a switch does."
)

CallId = Annotated[str, typer.Argument(help="The switch's own id of the call.", metavar="CALL_ID")]
From = Annotated[str, typer.Option("--from", help="Number of the caller: +14255550100.")]
To = Annotated[str, typer.Option("--to", help="Number that is called: +493012345678.")]
User = Annotated[str, typer.Option(help="The user who calls, where the number does not tell.")]
Type = Annotated[str, typer.Option(help="Type of call: user_out, conf_out, conf_in ...")]
Organizer = Annotated[str, typer.Option(help="Organizer of the conference (conf_out).")]
ServiceNumber = Annotated[str, typer.Option(help="Service number that was called (conf_in).")]
ConferenceId = Annotated[
    str, typer.Option(help="The switch's own id of the conference that the call is of.")
]
At = Annotated[str, typer.Option(help="When the call starts. Default: now.", metavar="TIME")]
Asked = Annotated[int, typer.Option("--seconds", help="Seconds asked for (0: as usual).", min=0)]
Sequence = Annotated[
    int | None,
    typer.Option(help="Number of the request on this call. Default: the next one.", min=0),
]
Used = Annotated[int, typer.Option("--used", help="Seconds talked so far, in all.", min=0)]


def quote_command(
    from_: From = "",
    to: To = "",
    user: User = "",
    type_: Annotated[str, typer.Option("--type", help="Type of call.")] = "user_out",
    organizer: Organizer = "",
    service_number: ServiceNumber = "",
    at: At = "",
    for_s: Annotated[
        int, typer.Option("--for", help="Also tell what a call of so many seconds costs.", min=0)
    ] = 0,
    url: Url = "",
    key: Key = "",
    json: Json = False,
) -> None:
    """What a call would cost and who would pay, or why it would be refused; nothing is held."""
    body = request(type_, from_, to, user, organizer, service_number, at)
    if for_s:
        body["for_seconds"] = for_s
    with opened_api(url, key) as api:
        ask(api, "quotes", body, json, "Quote")


@group.command("authorize")
def authorize_command(
    call_id: CallId,
    from_: From = "",
    to: To = "",
    user: User = "",
    type_: Annotated[str, typer.Option("--type", help="Type of call.")] = "user_out",
    organizer: Organizer = "",
    service_number: ServiceNumber = "",
    conference_id: ConferenceId = "",
    at: At = "",
    asked_s: Asked = 0,
    sequence: Annotated[int, typer.Option(help="Number of the request on this call.", min=0)] = 0,
    url: Url = "",
    key: Key = "",
    json: Json = False,
) -> None:
    """May this call be set up, and for how long may it talk? Holds the money for it."""
    body = request(type_, from_, to, user, organizer, service_number, at)
    if asked_s:
        body["requested_seconds"] = asked_s
    if conference_id:
        body["conference_id"] = conference_id
    path = call_path(call_id, "authorize")
    with opened_api(url, key) as api:
        ask(api, path, {"sequence": sequence, **body}, json, f"Call {call_id}")


@group.command("answer")
def answer_command(
    call_id: CallId,
    at: Annotated[str, typer.Option(help="When it was answered. Default: now.")] = "",
    sequence: Sequence = None,
    url: Url = "",
    key: Key = "",
    json: Json = False,
) -> None:
    """The call was answered: its deadline is counted from here."""
    with opened_api(url, key) as api:
        body: dict[str, Any] = {"sequence": next_sequence(api, call_id, sequence)}
        if at:
            body["answered_at"] = at
        ask(api, call_path(call_id, "answer"), body, json, f"Call {call_id}")


@group.command("extend")
def extend_command(
    call_id: CallId,
    used: Used,
    asked_s: Asked = 0,
    sequence: Sequence = None,
    url: Url = "",
    key: Key = "",
    json: Json = False,
) -> None:
    """The call goes on: ask for another slice."""
    with opened_api(url, key) as api:
        body = {"sequence": next_sequence(api, call_id, sequence), "used_seconds": used}
        if asked_s:
            body["requested_seconds"] = asked_s
        ask(api, call_path(call_id, "extend"), body, json, f"Call {call_id}")


@group.command("settle")
def settle_command(
    call_id: CallId,
    used: Used,
    cause: Annotated[str, typer.Option(help="How the call ended.")] = "normal",
    sequence: Sequence = None,
    url: Url = "",
    key: Key = "",
    json: Json = False,
) -> None:
    """The call is over: charge what was talked, free the rest. 0 for a call never answered."""
    with opened_api(url, key) as api:
        number = next_sequence(api, call_id, sequence)
        body = {"sequence": number, "used_seconds": used, "cause": cause}
        ask(api, call_path(call_id, "settle"), body, json, f"Call {call_id}")


@group.command("show")
def show_command(call_id: CallId, url: Url = "", key: Key = "", json: Json = False) -> None:
    """The call as it stands, or its usage record."""
    with opened_api(url, key) as api:
        reply = api.get(call_path(call_id))
    finish(reply, json, f"Call {call_id}")


def request(
    type_: str,
    from_: str,
    to: str,
    user: str,
    organizer: str,
    service_number: str,
    at: str,
) -> dict[str, Any]:
    """The body of an authorize or a quote: what was given."""
    given: dict[str, Any] = {
        "type": type_,
        "from": from_,
        "to": to,
        "user": user,
        "organizer": organizer,
        "service_number": service_number,
        "at": at,
    }
    return {name: value for name, value in given.items() if value}


def next_sequence(api: Api, call_id: str, given: int | None) -> int:
    """The number given, or the one after the call's last; 0 for a call that is not known."""
    if given is not None:
        return given
    reply = api.get(call_path(call_id))
    if reply.status == 404 and reply.body.get("code") == "unknown_call":
        return 0
    if reply.status != 200:
        raise Failure(refused(reply))
    return int(reply.body["sequence"]) + 1


def ask(api: Api, path: str, body: object, as_json: bool, title: str) -> None:
    """Send one request and show what came of it."""
    finish(api.post(path, body), as_json, title)


def finish(reply: Reply, as_json: bool, title: str) -> None:
    """Show an answer; a refusal is shown too, and the command has failed."""
    if reply.status == 200:
        show(as_json, reply.body, *pictures(title, reply))
        return
    if as_json:
        show(True, reply.body)
    else:
        console(stderr=True).print(refusal_panel(title, reply.body))
    raise typer.Exit(FAILURE_EXIT)


def refused(reply: Reply) -> str:
    """A refusal of the API in one line."""
    body = reply.body
    return f"{body.get('detail', reply.status)}. {body.get('remedy', '')} ({body.get('code')})"


def refusal_panel(title: str, body: dict[str, Any]) -> RenderableType:
    facts: dict[str, object] = {
        "Refused": body.get("title"),
        "Because": body.get("detail"),
        "What to do": body.get("remedy"),
        "Who can": body.get("who"),
        "Code": f"{body.get('code')} ({body.get('status')})",
    }
    if body.get("because"):
        facts["Gates passed"] = lines(body["because"])
    return panel(title, facts)


def pictures(title: str, reply: Reply) -> list[RenderableType]:
    """An answer for people: its facts by name, why, who pays, and its usage records."""
    facts: dict[str, object] = {}
    body = reply.body
    for name, value in body.items():
        if name == "because":
            facts["Because"] = lines(value)
        elif name == "price":
            facts["Price"] = price_text(value)
        elif name == "balance":
            facts["Available"] = f"{value['available']} {value['currency']}"
        elif name == "paid_by":
            facts["Paid by"] = lines(paid_text(part) for part in value)
        elif name == "cost":
            length = f"{value['seconds']} s, billed as {value['billed_seconds']} s"
            paid = [paid_text(part) for part in value["paid_by"]]
            facts["Would cost"] = lines((f"{value['charge']} for {length}", *paid))
        elif name == "lasts_seconds":
            facts["Could last"] = f"{value} s with all that is there"
        elif name not in ("usage", "call_id"):
            facts[name.replace("_", " ").capitalize()] = value
    if reply.replayed:
        facts["Answered before"] = True
    drawn = [panel(title, facts)]
    if body.get("usage"):
        drawn.append(usage_table(body["usage"]))
    return drawn


def price_text(price: dict[str, Any]) -> str:
    fee = "" if price["connection_fee"] == "0" else f", {price['connection_fee']} at answer"
    return (
        f"{price['per_minute']} {price['currency']} a minute{fee}, "
        f"{price['first_increment_s']}/{price['next_increment_s']}: "
        f"{price['prefix']} {price['destination']}"
    )


def paid_text(part: dict[str, Any]) -> str:
    amount = f", {part['amount']}" if "amount" in part else ""
    pool = f" of {part['pool']}" if "pool" in part else ""
    return f"{part['source'].replace('_', '-')}: {part['seconds']} s{pool}{amount}"


def usage_table(usage: list[dict[str, Any]]) -> RenderableType:
    rows = [
        (
            *(record["started_at"], record["kind"], record["destination"]),
            *(record["used_seconds"], record["billed_seconds"]),
            *(f"{record['charge']} {record['currency']}", record["cause"]),
        )
        for record in usage
    ]
    columns = ("Started", "Kind", "Destination", "Used s", "Billed s", "Charge", "Cause")
    return table(columns, rows, title="Usage records", right=("Used s", "Billed s", "Charge"))
