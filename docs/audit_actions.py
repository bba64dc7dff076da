"""The page of the audit log: what is kept, and every action by its name."""

from itertools import groupby

from talktime.console.audit.actions import ACTIONS
from talktime.core.limits import AUDIT_EXPORT_ROWS_MAX

WRITTEN = (
    "<!-- Written by `make docs` from console/audit/actions.py. Change that, not this page. -->"
)
SUBJECT = "…"


def page() -> str:
    """Every action of the audit log in words."""
    rows = []
    names = sorted(ACTIONS)
    for _family, group in groupby(names, key=lambda name: name.partition(".")[0]):
        rows += [f"| `{name}` | {ACTIONS[name].replace('{subject}', SUBJECT)} |" for name in group]
    listed = "\n".join(rows)
    return f"""# The audit log

{WRITTEN}

Whoever changes a setting, moves money by their own will, or lets somebody in leaves an entry: in
the console, by the API, in the shell. It is written in the transaction of the change itself, so
that neither is there without the other. The databases refuse to change or delete an entry.

An entry says when it was, who did it (`account`: an account of the console; `key`: an API key;
`shell`: an account of a machine), from where (a network address, a host's name), the action, of
what, and what differs: before and after, as plain values. Amounts are in micros of the currency
that the entry names, or else of the organisation's; times in milliseconds since 1970. No secret
is kept. What the service does by itself leaves no entry: payments, transfers and notices are traces
enough.

The console shows it on *Audit log*, of one organisation, or for the operator of all; as CSV too, up
to {AUDIT_EXPORT_ROWS_MAX:,} rows. In the shell:

    talktime audit Contoso --action recharge.set --from 2026-11-01

| action | what was done |
| --- | --- |
{listed}
"""
