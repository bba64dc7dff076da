"""Which files begin first where several processes share the tests.

A file is run by one process. Those that take longest go first: at the end the short ones fill up
what is left, and no process waits for another's last long file.
"""

from collections import Counter
from collections.abc import Sequence

LONGEST = (
    "tests/docs/test_examples_run.py",
    "tests/browser/test_every_page.py",
    "tests/switches/test_kamailio.py",
    "tests/browser/test_paths.py",
    "tests/browser/test_links.py",
    "tests/cli/test_serve.py",
    "tests/switches/test_kamailio_ro.py",
    "tests/invariants/test_money_in.py",
    "tests/invariants/test_money_in_further.py",
    "tests/gateways/radius/test_disconnects.py",
    "tests/invariants/test_any_split.py",
    "tests/cli/test_replay_month.py",
    "tests/invariants/test_any_history.py",
    "tests/invariants/test_killed_service.py",
    "tests/console/test_migrate.py",
    "tests/switches/test_kamailio_forged.py",
    "tests/switches/test_kamailio_ro_forged.py",
    "tests/scenarios/test_stories.py",
    "tests/invariants/test_shared_minutes.py",
    "tests/browser/test_german.py",
    "tests/invariants/test_fuzzed_ports.py",
    "tests/invariants/test_sandbox_money_in.py",
    "tests/switches/test_kamailio_numbers.py",
    "tests/jobs/test_every_job.py",
    "tests/invariants/test_two_services.py",
    "tests/gateways/radius/test_uses.py",
    "tests/switches/test_try_kamailio.py",
    "tests/gateways/test_clock_jumps.py",
    "tests/gateways/diameter/test_credit.py",
    "tests/console/test_billing_browser.py",
    "tests/console/test_browser.py",
    "tests/scenarios/test_years.py",
)
"""The files that take a quarter of a minute or more: the longest first, and among those some that
keep a processor at work between others that mostly wait (for calls to end, for a deadline).
"""


def in_running_order(files: Sequence[str]) -> list[int]:
    """Where each of these (the file of each test) comes from when they are put in order: the
    longest files, then those with the most tests; the tests of a file stay as they were.
    """
    rank = {file: number for number, file in enumerate(LONGEST)}
    tests, first = Counter(files), {}
    for number, file in enumerate(files):
        first.setdefault(file, number)
    return sorted(
        range(len(files)),
        key=lambda n: (rank.get(files[n], len(LONGEST)), -tests[files[n]], first[files[n]], n),
    )
