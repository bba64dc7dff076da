"""`talktime webhook`: where an organisation's programs are told. A secret is shown once."""

import secrets
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from talktime.cli.failures import unless_refused
from talktime.cli.installation import (
    all_pages,
    cell,
    control_plane,
    installation,
    new_ids,
    organisation_of,
)
from talktime.cli.output import Json, moment, panel, show, table
from talktime.cli.users import OrganisationName
from talktime.clock import now_ms
from talktime.core.ids import ID_MAX
from talktime.operations.deliveries import deliveries_of_endpoint, redeliver
from talktime.operations.endpoints import (
    BY_HAND,
    ENTROPY_BYTES,
    NewSecret,
    add_endpoint,
    disable_endpoint,
    enable_endpoint,
    find_endpoint,
    list_endpoints,
    remove_endpoint,
    rotate_secret,
)
from talktime.operations.sealing import Seal
from talktime.store.deliveries import Delivery
from talktime.store.recipients import Endpoint

group = typer.Typer(no_args_is_help=True, help="Programs that are told of what happens.")

Id = Annotated[
    int,
    typer.Argument(
        min=0, max=ID_MAX, help="Its id, as `talktime webhook list` shows it.", metavar="ID"
    ),
]


@group.command("add")
def add_command(
    organisation: OrganisationName,
    url: Annotated[str, typer.Argument(help="Where to: https://hooks.contoso.example/talktime.")],
    kind: Annotated[
        list[str] | None,
        typer.Option(help="A kind of event, once or more: balance.low. Default: all."),
    ] = None,
    actor: Annotated[str, typer.Option(help="Who adds it.")] = "operator",
    json: Json = False,
) -> None:
    """Let a program be told. The secret that proves messages is shown now, and never again."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
    with cell(settings, owner.cell) as connection, connection.transaction():
        made = unless_refused(
            add_endpoint(
                connection,
                owner.id,
                url,
                kinds=kind or (),
                actor=actor,
                allowed_hosts=settings.webhooks_allow,
                seal=Seal(settings.seal_keys()),
                now_ms=now_ms(),
                next_id=new_ids().next,
                entropy=secrets.token_bytes(ENTROPY_BYTES),
            )
        )
    show_secret(json, made)


@group.command("list")
def list_command(organisation: OrganisationName, json: Json = False) -> None:
    """List where programs are told."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
    with cell(settings, owner.cell) as connection, connection.reading():
        found = list_endpoints(connection, owner.id)
    columns = ("Id", "Address", "Events", "State", "Why")
    rows = [
        (each.id, each.url, ", ".join(each.kinds) or "all", each.state, each.detail)
        for each in found
    ]
    empty = "No program is told yet: `talktime webhook add` lets one."
    show(json, {"endpoints": [document(each) for each in found]}, table(columns, rows, empty=empty))


@group.command("rotate")
def rotate_command(organisation: OrganisationName, endpoint: Id, json: Json = False) -> None:
    """Make a new secret. The one before proves messages too, for 24 hours."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
    with cell(settings, owner.cell) as connection, connection.transaction():
        made = unless_refused(
            rotate_secret(
                connection,
                owner.id,
                endpoint,
                seal=Seal(settings.seal_keys()),
                now_ms=now_ms(),
                entropy=secrets.token_bytes(ENTROPY_BYTES),
            )
        )
    show_secret(json, made)


@group.command("disable")
def disable_command(
    organisation: OrganisationName,
    endpoint: Id,
    reason: Annotated[str, typer.Option(help="Why, for whoever reads the list.")] = BY_HAND,
    json: Json = False,
) -> None:
    """Tell an endpoint nothing more; what was due to it fails, and can be sent again by hand."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
    with cell(settings, owner.cell) as connection, connection.transaction():
        turned = unless_refused(disable_endpoint(connection, owner.id, endpoint, reason=reason))
    show(json, document(turned), picture(turned))


@group.command("enable")
def enable_command(organisation: OrganisationName, endpoint: Id, json: Json = False) -> None:
    """Tell an endpoint again."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
    with cell(settings, owner.cell) as connection, connection.transaction():
        turned = unless_refused(enable_endpoint(connection, owner.id, endpoint))
    show(json, document(turned), picture(turned))


@group.command("remove")
def remove_command(organisation: OrganisationName, endpoint: Id, json: Json = False) -> None:
    """Tell an endpoint nothing more, for good."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
    with cell(settings, owner.cell) as connection, connection.transaction():
        removed = unless_refused(remove_endpoint(connection, owner.id, endpoint))
    show(json, document(removed), f"{removed.url} is told nothing more.")


@group.command("deliveries")
def deliveries_command(organisation: OrganisationName, endpoint: Id, json: Json = False) -> None:
    """List what was sent to an endpoint, the newest first."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
    with cell(settings, owner.cell) as connection, connection.reading():
        unless_refused(find_endpoint(connection, owner.id, endpoint))
        found = all_pages(
            lambda before: unless_refused(
                deliveries_of_endpoint(connection, owner.id, endpoint, before=before)
            ),
            ID_MAX,
            lambda each: each.id,
        )
    columns = ("Id", "State", "Tries", "Last", "Next", "Answer")
    rows = [
        (each.id, each.state, each.tries, moment(each.tried_ms), moment(each.due_ms), each.detail)
        for each in found
    ]
    documents = [delivery_document(each) for each in found]
    show(json, {"deliveries": documents}, table(columns, rows, empty="Nothing was sent yet."))


@group.command("redeliver")
def redeliver_command(
    organisation: OrganisationName,
    delivery: Annotated[
        int,
        typer.Argument(
            min=0, max=ID_MAX, help="Its id, as `talktime notices` shows it.", metavar="ID"
        ),
    ],
    json: Json = False,
) -> None:
    """Send one delivery again, mail or webhook, with the same ids."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
    with cell(settings, owner.cell) as connection, connection.transaction():
        again = unless_refused(redeliver(connection, owner.id, delivery, now_ms=now_ms()))
    show(json, delivery_document(again), f"Delivery {again.id} is sent again within a second.")


def show_secret(as_json: bool, made: NewSecret) -> None:
    """Print an endpoint with its secret."""
    shown = [picture(made.endpoint), "The secret, shown this once:", made.secret]
    show(as_json, {**document(made.endpoint), "secret": made.secret}, *shown)


def document(endpoint: Endpoint) -> dict[str, Any]:
    """An endpoint as JSON, without its secrets."""
    return {
        "id": str(endpoint.id),
        "url": endpoint.url,
        "kinds": list(endpoint.kinds),
        "state": endpoint.state,
        "detail": endpoint.detail,
        "old_secret_until": moment(endpoint.old_until_ms),
        "created": moment(endpoint.created_ms),
        "created_by": endpoint.created_by,
    }


def delivery_document(delivery: Delivery) -> dict[str, Any]:
    """A delivery as JSON."""
    return {
        "id": str(delivery.id),
        "notice": str(delivery.outbox_id),
        "channel": delivery.channel,
        "target": delivery.target,
        "state": delivery.state,
        "tries": delivery.tries,
        "detail": delivery.detail,
        "due": moment(delivery.due_ms),
        "tried": moment(delivery.tried_ms),
    }


def picture(endpoint: Endpoint) -> RenderableType:
    """An endpoint for people."""
    facts = {
        "Id": endpoint.id,
        "Events": ", ".join(endpoint.kinds) or "all",
        "State": endpoint.state,
        "Why": endpoint.detail,
        "Old secret until": moment(endpoint.old_until_ms),
    }
    return panel(endpoint.url, {name: value for name, value in facts.items() if value})
