"""`talktime provider`: which payment provider takes cards. Its keys are read from stdin, or asked
for; they are never arguments, and never shown again."""

import getpass
import sys
from typing import Annotated, Any

import typer

from talktime.cli.failures import Failure, unless_refused
from talktime.cli.fund import account
from talktime.cli.installation import cell, control_plane, installation
from talktime.cli.output import Json, moment, panel, show, table
from talktime.clock import now_ms
from talktime.core.limits import PROVIDER_SECRET_TEXT_MAX
from talktime.operations.provider_settings import (
    API_BASE,
    PROVIDERS,
    STRIPE,
    ProviderShown,
    StripeKeys,
    remove_provider,
    set_stripe,
    show_providers,
    use_sandbox,
)
from talktime.operations.sealing import Seal
from talktime.store.payments import open_at_provider

group = typer.Typer(no_args_is_help=True, help="Which payment provider takes cards, and its keys.")

Name = Annotated[str, typer.Argument(help="stripe or sandbox.", metavar="PROVIDER")]
Actor = Annotated[str, typer.Option(help="Who does it. Default: the account of this shell.")]


@group.command("set")
def set_command(
    provider: Name,
    api_base: Annotated[
        str, typer.Option(metavar="URL", help="Stripe's API, or a proxy before it.")
    ] = API_BASE,
    actor: Actor = "",
    json: Json = False,
) -> None:
    """Let new cards go to a provider.

    For stripe two lines are read from stdin, or asked for at a terminal: the secret key (sk_... or
    rk_...) and the webhook's secret (whsec_...). They are kept sealed.
    """
    known(provider)
    settings, at_ms, who = installation(), now_ms(), actor or account()
    if provider == STRIPE:
        secret_key, webhook_secret = secrets_given()
        seal = Seal(settings.seal_keys())
        keys = StripeKeys(secret_key, webhook_secret, api_base.rstrip("/"))
        with control_plane(settings) as control, control.transaction():
            done = unless_refused(set_stripe(control, seal, keys, actor=who, now_ms=at_ms))
    else:
        with control_plane(settings) as control, control.transaction():
            done = unless_refused(use_sandbox(control, actor=who, now_ms=at_ms))
    show(json, document(done), panel(done.name, facts(done)))


@group.command("show")
def show_command(json: Json = False) -> None:
    """Show the providers: when each was set and by whom, never its keys."""
    with control_plane(installation()) as control, control.reading():
        found = show_providers(control)
    rows = [(each.name, *facts(each).values()) for each in found]
    documents = [document(each) for each in found]
    show(json, {"providers": documents}, table(("Provider", "New cards", "Set"), rows))


@group.command("remove")
def remove_command(provider: Name, json: Json = False) -> None:
    """Forget a provider's keys; new cards must go to another one before, and nothing may be open
    there: without the keys nobody could ask what became of it."""
    known(provider)
    settings = installation()
    for name in settings.cells:
        with cell(settings, name) as connection, connection.reading():
            open_ = open_at_provider(connection, provider)
        if open_:
            raise Failure(
                f"charges or refunds at {provider} are open in cell {name}, {open_:,} of them: "
                "wait until none is (talktime purchase list)"
            )
    with control_plane(settings) as control, control.transaction():
        unless_refused(remove_provider(control, provider))
    show(json, {"provider": provider, "removed": True}, f"The keys of {provider} are forgotten.")


def known(provider: str) -> None:
    """Refuse what is no provider, before anything is asked for."""
    if provider not in PROVIDERS:
        raise typer.BadParameter(f"choose one of {', '.join(PROVIDERS)}", param_hint="PROVIDER")


def secrets_given() -> tuple[str, str]:
    """The two secrets: two lines of stdin, or asked for where that is a terminal."""
    if sys.stdin.isatty():
        return getpass.getpass("Secret key: ").strip(), getpass.getpass("Webhook secret: ").strip()
    try:
        lines = [sys.stdin.readline(PROVIDER_SECRET_TEXT_MAX + 2).strip() for _ in range(2)]
    except UnicodeDecodeError as error:
        raise Failure("the secrets on stdin are not UTF-8 text") from error
    if not all(lines):
        raise Failure(
            "there are no two lines on stdin: write the secret key in the first, the webhook's "
            "secret in the second"
        )
    return lines[0], lines[1]


def facts(shown: ProviderShown) -> dict[str, object]:
    """A provider for people."""
    at = moment(shown.changed_ms)
    return {
        "New cards": "go here" if shown.active else "do not go here",
        "Set": f"set on {at} by {shown.changed_by}" if at else "never set",
    }


def document(shown: ProviderShown) -> dict[str, Any]:
    """A provider for programs."""
    return {
        "provider": shown.name,
        "active": shown.active,
        "set": moment(shown.changed_ms),
        "set_by": shown.changed_by or None,
    }
