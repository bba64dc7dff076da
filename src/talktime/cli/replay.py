"""`talktime replay`: a file of calls against the API, as fast as it goes."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from talktime.cli.api import Key, Url, open_api
from talktime.cli.call_file import check_calls, read_calls
from talktime.cli.failures import Failure
from talktime.cli.output import Json, amount, console, panel, show, table
from talktime.cli.replay_calls import Tally
from talktime.core.limits import BATCH_REQUESTS_MAX, REPLAY_CONNECTIONS_MAX
from talktime.core.money import decimal_text

KeepTimes = Annotated[
    bool,
    typer.Option("--keep-times", help="Send each call's own time; otherwise calls are made now."),
]
Connections = Annotated[
    int, typer.Option(min=1, max=REPLAY_CONNECTIONS_MAX, help="Connections at once.")
]
ResultsFile = Annotated[
    Path | None, typer.Option(dir_okay=False, help="Write what came of each call to this CSV file.")
]


def replay_command(
    file: Annotated[
        Path, typer.Argument(help="CSV of calls, one a line.", exists=True, dir_okay=False)
    ],
    connections: Connections = 4,
    batch: Annotated[
        int,
        typer.Option(
            min=1,
            max=BATCH_REQUESTS_MAX,
            help="Calls under way on each connection, asked for together. 1: no batches.",
        ),
    ] = 200,
    keep_times: KeepTimes = False,
    results: ResultsFile = None,
    url: Url = "",
    key: Key = "",
    json: Json = False,
) -> None:
    """Replay a CSV of calls against the API, as fast as it goes.

    Each call is authorized, extended while it lasts, and settled, in this order; what the service
    is too busy for is sent again. docs/reference/call-files.md describes the file.
    """
    from talktime.cli.replay_send import replay

    count = check_calls(file)
    open_api(url, key).close()
    begun = time.perf_counter()
    with progress_bar() as progress:
        task = progress.add_task(f"Replaying {file.name}", total=count)
        try:
            tally = replay(
                read_calls(file),
                lambda: open_api(url, key),
                connections=connections,
                batch=batch,
                keep_times=keep_times,
                results_path=results,
                tell=lambda ended: progress.update(task, completed=ended),
            )
        except KeyboardInterrupt:
            ended = int(progress.tasks[task].completed)
            raise Failure(
                f"stopped after call {ended:,} of {count:,}; replay the file again to go on: "
                "what was answered is answered the same, and charged once"
            ) from None
    took_s = time.perf_counter() - begun
    show(json, document(tally, took_s), *pictures(tally, took_s))


def progress_bar() -> Progress:
    """A bar on stderr; nothing where that is no terminal."""
    out = console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=out,
        transient=True,
        disable=not out.is_terminal,
    )


def document(tally: Tally, took_s: float) -> dict[str, Any]:
    """The summary for programs."""
    charged = [
        {
            "organisation": organisation,
            "currency": currency,
            "settled": tally.settled[organisation, currency],
            "charge": decimal_text(micros),
        }
        for (organisation, currency), micros in sorted(tally.charged_micros.items())
    ]
    return {
        "calls": tally.calls,
        "requests": tally.asked,
        "requests_per_second": int(tally.asked / took_s),
        "seconds": f"{took_s:.3f}",
        "sent_again": tally.retried,
        "repeated": tally.repeated,
        "repeats_answered_differently": tally.repeats_differing,
        "left_to_supervision": tally.never_settled,
        "decisions": [
            {"request": verb, "decision": code, "count": count}
            for (verb, code), count in in_order(tally)
        ],
        "charged": charged,
        "charge_by_currency": {
            currency: decimal_text(micros) for currency, micros in totals(tally).items()
        },
        "http": {
            "requests": tally.requests,
            **{f"p{part}_ms": f"{tally.percentile_ms(part):.1f}" for part in (50, 95, 99)},
        },
    }


def pictures(tally: Tally, took_s: float) -> list[RenderableType]:
    """The summary for people."""
    facts = {
        "Calls": f"{tally.calls:,}",
        "Requests": f"{tally.asked:,} in {took_s:.1f} s: {int(tally.asked / took_s):,} a second",
        "HTTP requests": f"{tally.requests:,}, answered within "
        + ", ".join(f"{tally.percentile_ms(part):.1f} ms (p{part})" for part in (50, 95, 99)),
        "Sent again": f"{tally.retried:,}, because the service was busy or away",
        "Repeats": f"{tally.repeated:,}, {tally.repeats_differing:,} answered differently",
        "Left to supervision": f"{tally.never_settled:,} granted calls whose settle was lost",
    }
    decisions = table(
        ("Request", "Decision", "Count"),
        [(verb, code, f"{count:,}") for (verb, code), count in in_order(tally)],
        right=("Count",),
    )
    rows = [
        (organisation, f"{tally.settled[organisation, currency]:,}", amount(micros, currency))
        for (organisation, currency), micros in sorted(tally.charged_micros.items())
    ]
    rows += [("all", "", amount(micros, currency)) for currency, micros in totals(tally).items()]
    charged = table(("Organisation", "Settled", "Charged"), rows, right=("Settled", "Charged"))
    return [panel("Replay", facts), decisions, charged]


def in_order(tally: Tally) -> list[tuple[tuple[str, str], int]]:
    """Decisions by request as a call goes, the most frequent first."""
    verbs = ("authorize", "answer", "extend", "settle")
    return sorted(tally.codes.items(), key=lambda each: (verbs.index(each[0][0]), -each[1]))


def totals(tally: Tally) -> dict[str, int]:
    """What was charged in all, by currency."""
    micros_of: dict[str, int] = {}
    for (_, currency), micros in tally.charged_micros.items():
        micros_of[currency] = micros_of.get(currency, 0) + micros
    return micros_of
