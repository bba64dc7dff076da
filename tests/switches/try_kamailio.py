"""`make try-kamailio`: a few calls over Kamailio, and what the service makes of them, to look at.

The service with the demo, Kamailio with examples/kamailio, SIPp as telephones: all on free ports of
127.0.0.1, all gone at the end. Ends with 1 where something did not happen as it is to.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from tests.databases import Cluster
from tests.stores import Stores
from tests.switches.exchange import Exchange
from tests.switches.office import BY_THE_SECOND, MICROS_A_SECOND, Office, Wallet
from tests.switches.phones import Message, Phone
from tests.switches.programs import missing, wait_until

CREDIT_S, TALKS_S, SLICE_S = 10, 5, 4
UNIT = 1_000_000
INTERRUPTED = 130  # what shells say of a program that Ctrl-C has ended
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # the last, where the terminal is closed

console = Console(highlight=False)


def main() -> int:
    """Place the calls; the exit code."""
    for each in ENDS:
        signal.signal(each, _interrupted)
    if missing():
        console.print(f"[red]Missing programs.[/red] As root: apt-get install {missing()}")
        return 1
    with TemporaryDirectory(prefix="talktime-try-") as name:
        folder = Path(name)
        console.print("Starting the service, Kamailio and two telephones ...")
        store = Stores(folder, _no_cluster).make("sqlite")
        try:
            with Exchange(folder, store, TALKTIME_SLICE_SECONDS=str(SLICE_S)) as exchange:
                _calls(exchange)
        except AssertionError as error:
            console.print("[red]This did not happen as it is to:[/red]")
            console.print(str(error), markup=False)
            for said in sorted(folder.glob("**/kamailio.*.said")):
                console.print(said.read_text(errors="replace")[-3000:], markup=False)
            return 1
        except KeyboardInterrupt:
            console.print("\nInterrupted. Nothing is left running.")
            return INTERRUPTED
        finally:
            store.close()
    console.print("[green]All of it happened as it is to.[/green] Nothing is left running.")
    return 0


def _interrupted(number: int, _: object) -> None:
    """Ends everything in order, once: who is impatient would leave the rest running."""
    for each in ENDS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt(number)


def _calls(exchange: Exchange) -> None:
    office = exchange.office(seconds=CREDIT_S)
    console.print(f"  service   {exchange.service.url}, asked for {SLICE_S} seconds at a time")
    console.print(f"  Kamailio  udp:{exchange.proxy.address}, examples/kamailio")
    console.print(f"  caller    {office.caller}, with {_money(office.wallet().balance)} USD")
    console.print(f"  callee    {BY_THE_SECOND}, 0.01 USD a second")

    with _heading(f"1. A call of {TALKS_S} seconds"):
        talks_ms = TALKS_S * 1000 - 200
        phone = exchange.caller(office, "caller_hangs_up", talks_ms=talks_ms)
        _watch(exchange, office, phone, calls=1)
        left = (CREDIT_S - TALKS_S) * MICROS_A_SECOND
        _expect(office.wallet() == Wallet(left, 0, 0), f"{_money(left)} USD are left")

    with _heading("2. A call that the caller would never end"):
        phone = exchange.caller(office, "caller_stays")
        _watch(exchange, office, phone, calls=2)
        [bye] = phone.got("BYE")
        there = exchange.answering.of(bye.call_id)
        wait_until(lambda: there.got("BYE"), "a BYE on the callee's leg")
        late_s = abs(there.got("BYE")[0].at_s - bye.at_s)
        _expect(late_s < 0.5, "the network hung up on both legs")
        _expect(office.wallet() == Wallet(0, 0, 0), "the credit is used up, to the second")

    with _heading("3. The same caller once more"):
        phone = exchange.caller(office, "caller_stays")
        _watch(exchange, office, phone, calls=3)
        _expect(bool(phone.got(402)), "402 Payment Required")

    with _heading("4. The books"):
        exchange.prove_books()
        console.print("  check-books finds nothing wrong; nothing is held")


def _watch(exchange: Exchange, office: Office, phone: Phone, calls: int) -> None:
    """Print what the caller sees and what happens to the wallet, until the call is over."""
    seen: set[Message] = set()
    wallets: list[Wallet] = []
    began_s: list[float] = []

    def over() -> bool:
        for message in phone.messages():
            if message not in seen:
                seen.add(message)
                began_s.append(message.at_s)
                arrow = "->" if message.sent else "<-"
                console.print(f"  {message.at_s - began_s[0]:4.1f} s  {arrow} {message.line}")
        wallet = office.wallet()
        if wallet not in wallets:
            wallets.append(wallet)
            free = _money(wallet.balance - wallet.held)
            shown = f"balance {_money(wallet.balance)} USD, held {_money(wallet.held)}, free {free}"
            console.print(f"          [cyan]{shown}[/cyan]")
        ended = [call for call in office.calls() if call.state != "open"]
        return not phone.running and len(ended) == calls

    wait_until(over, "the end of the call")


@contextmanager
def _heading(text: str) -> Iterator[None]:
    console.print(f"\n[bold]{text}[/bold]")
    yield


def _expect(happened: bool, what: str) -> None:
    assert happened, f"not so: {what}"
    console.print(f"  [green]✓[/green] {what}")


def _money(micros: int) -> str:
    return f"{micros / UNIT:.2f}"


def _no_cluster(number: int) -> Cluster:
    raise AssertionError(f"no server of PostgreSQL is needed here ({number})")


if __name__ == "__main__":
    sys.exit(main())
