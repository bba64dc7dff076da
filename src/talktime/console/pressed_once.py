"""What a form makes is made once, however often the form is sent: by a second press of its button,
a reload, or by going back to it. The page gives the form a key (theme/pressed.html); what was made
under it is in `creation`, as what programs make is."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpRequest

from talktime.console.databases import current
from talktime.console.doors import Desk, OperatorDesk
from talktime.core.refusal import Refusal
from talktime.operations.creations import make_once
from talktime.operations.idempotency import request_hash
from talktime.store.creations import Creations

PRESSED = "pressed"
Thing = TypeVar("Thing")


def once(
    desk: Desk | OperatorDesk,
    make: Callable[[], Thing | Refusal],
    id_of: Callable[[Thing], int],
    *,
    in_cell: bool = False,
) -> tuple[int, Thing | None] | Refusal:
    """Make what the form asks for, in a transaction of its own, in the control plane or in the
    organisation's cell: its id, and the thing, which is None where the same form made it before
    (then nothing is said in the session either, which may still hold what was said the first time).
    Another form under the same key (somebody went back and typed something else) is a wish of its
    own. Refuses what `make` refuses."""
    made: list[Thing] = []

    def act() -> dict[str, Any] | Refusal:
        done = make()
        if isinstance(done, Refusal):
            return done
        made.append(done)
        return {"id": id_of(done)}

    owner_id = desk.owner.id if isinstance(desk, Desk) else 0
    place = desk.cell if in_cell and isinstance(desk, Desk) else desk.control
    key, sent = desk.request.POST.get(PRESSED, ""), _sent(desk.request)
    seal_keys = current().seal_keys()
    with place.transaction():
        answered, _replayed = (
            make_once(
                Creations(place, owner_id, in_cell),
                # What was typed is part of the key, so that each wish is known by its own.
                *(f"{PRESSED} {key} {request_hash(seal_keys[0], sent)}", sent, act),
                secret="",
                seal_keys=seal_keys,
                now_ms=desk.now_ms,
            )
            if key
            else (act(), False)
        )
    if isinstance(answered, Refusal):
        return answered
    return answered["id"], made[0] if made else None


def _sent(request: HttpRequest) -> bytes:
    """What tells one sending of a form from another: where to, and all that was typed."""
    typed = {name: values for name, values in request.POST.lists() if name != "csrfmiddlewaretoken"}
    return json.dumps([request.path, typed], sort_keys=True).encode()
