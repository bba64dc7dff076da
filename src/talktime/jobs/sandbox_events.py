"""The job that plays the sandbox's post: what it has to say is put through our own door."""

from talktime.jobs.payments import one_row
from talktime.operations.provider_events import receive_event
from talktime.operations.provider_settings import SANDBOX
from talktime.operations.sandbox_events import due_events, event_not_sent, event_sent
from talktime.operations.sweep import Sweep, Swept
from talktime.providers.chosen import sandbox_secret


def post_sandbox_events(sweep: Sweep) -> Swept:
    """Post the webhooks of the sandbox that are due: as it was told to, twice, late or out of
    order. Several runners may post one twice: whoever reads them takes it once."""
    if sweep.settings is None or sweep.control is None:
        raise ValueError("this job needs the installation and its control plane")
    control, now_ms, failures = sweep.control(), sweep.clock_ms(), list[str]()
    with control.reading():
        due = due_events(control, sandbox_secret(sweep.settings), now_ms=now_ms)
    for sending in due:
        with one_row(failures, f"sandbox event {sending.id}"):
            refusal = receive_event(
                control,
                SANDBOX,
                sending.body,
                sending.headers,
                received_ms=now_ms,
                next_id=sweep.next_id,
            )
            tell = event_sent if refusal is None else event_not_sent
            with control.transaction():
                tell(control, sending.id, now_ms=now_ms)
    return Swept(len(due), tuple(failures))
