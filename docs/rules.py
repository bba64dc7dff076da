"""The rules of charging, and which tests hold the service to each.

A test says which rules it shows: by their numbers (R36, or R36-R39 for each of these) in its
docstring, a story in the comment that it begins with.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests"
NUMBER = re.compile(r"\b([RV])(\d{1,2})(?:-[RV](\d{1,2}))?\b")

RULES = {
    "Money": {
        "R1": "An organisation has one balance in one currency; all its users spend it.",
        "R2": "Each purchase is a lot that expires twelve calendar months later, or as set.",
        "R3": "Lots are spent in the order of purchase.",
        "R4": "What is left of a lot when it expires is forfeited; what was spent is not touched.",
        "R5": "What came in, less what was used, forfeited and refunded, is the balance.",
        "R11": "A call is charged at the rate in force when it began.",
        "R22": "Without a balance no call is granted that costs.",
        "R23": "A call can take the balance below zero only by what was not held for it.",
        "R24": "A balance that is used up is told once, until there is money again.",
        "R26": "Included minutes, calls that come in and cost nothing, and calls for help do not "
        "ask for a balance.",
        "R27": "Minutes used to 80 % (or as set), and to the end, are noted once each in a month.",
    },
    "Money in": {
        "R6": "What is bought at once is within the bounds of its currency.",
        "R7": "Who may not buy is told the exact reason.",
        "R8": "With the first funding the credits licences count, however many there are.",
        "R9": "Money is added by hand with auto-recharge on or off.",
        "R10": "A card pays, or an invoice under an agreement; a PO number goes with that alone.",
        "R12": "What an operator gives has a reason and an actor; nothing is refunded by itself.",
        "R13": "Auto-recharge is on or off, with a trigger, an amount and a method to pay with.",
        "R14": "Below the trigger one recharge begins, whatever lowered the balance.",
        "R15": "A recharge adds its amount, and is not cut to reach the trigger.",
        "R16": "One recharge is on its way at most, and is charged once.",
        "R17": "Where a recharge is not enough another follows, within the caps.",
        "R18": "Success is an invoice and a notice; failure a notice, no credit, and later tries.",
        "R19": "Exactly at the trigger nothing is bought.",
        "R20": "Turned off, what is charged is finished, and nothing else begins.",
        "R21": "Turned on below the trigger, a recharge begins at once.",
        "R25": "A person is told once, however many roles they have.",
    },
    "Paying after use": {
        "R71": "Who pays after use cannot buy credits nor recharge.",
        "R72": "Who has moved to paying after use spends the credits first; then the switch and "
        "the cap decide.",
        "R73": "With auto-recharge on nobody is moved: it is shown as blocked.",
        "R74": "A change of the way of paying is told, with who made it.",
        "R75": "What was used is summed by month, with the fields of the usage report.",
    },
    "Gates": {
        "R28": 'The gates stand in one order, and the first "no" is the answer.',
        "R29": "A call for credits needs the user's credits licence.",
        "R30": "An organisation that was never funded has no credits to pay with.",
        "R31": "The credits licence counts only with conferencing, or with a phone and a plan.",
        "R32": "A meeting's call has the organizer's licences and policy, whoever asked for it.",
        "R33": "A call to a toll-free number needs a balance, and no user's licence.",
        "R34": "A resource account calls by its own plan's minutes, else by credits.",
        "R35": "Of an organizer who pays per minute, every leg is charged.",
        "R86": "A call for help is allowed whatever the policy.",
        "R87": "Where the policy allows no calls, credits do not help, and nothing is held.",
    },
    "Plans": {
        "R36": "A pool belongs to a plan and a country; each user with the plan adds to it.",
        "R37": "Minutes of a plan that is not pooled are the user's own.",
        "R38": "A hundred users with 120 minutes have 12,000.",
        "R39": "A pool lasts a calendar month; nothing is carried over.",
        "R40": "Only calls that go out use minutes.",
        "R41": "A Domestic plan pays domestic calls from its pool, then credits do; international "
        "calls are paid by credits.",
        "R42": "An International plan has two counters; either ends both, or each itself.",
        "R43": "A Pay-As-You-Go plan has no minutes.",
        "R44": "The United States and Canada are one country for minutes, two for policies.",
        "R45": "The United States and Puerto Rico are one country for both.",
        "R46": "What is domestic follows from the usage location.",
        "R47": "Premium numbers are refused, or paid by credits; minutes never pay them.",
        "R48": "A licence that comes adds its minutes at once; one that goes takes them away, but "
        "none that were used.",
        "R49": "A plan is given only to users in countries that it is for.",
        "R50": "A user whose spending in a month has reached the limit calls for nothing that "
        "costs.",
    },
    "Conferencing": {
        "R51": "Each subscription adds 60 minutes to the organisation's pool, one per minute none.",
        "R52": "The pool reaches the countries of zone A, and no premium number.",
        "R53": "The organizer's country does not matter to the pool.",
        "R54": "The price follows from the destination alone.",
        "R55": "Extended dial-out makes calls to the United States and Canada free.",
        "R56": "Calls to a toll-free number are paid by credits, however full the pool is.",
        "R57": "An organizer without toll-free dial-in cannot be met on a toll-free number.",
        "R58": '"Call me" is a call of the meeting.',
        "R59": "In some countries there are 900 minutes, and no credits.",
    },
    "Rating": {
        "R60": "Started minutes are charged; a call that was not answered costs nothing.",
        "R61": "The charge is the fee, once, and the minutes.",
        "R62": "The rate is that of the longest prefix in force.",
        "R63": "A call without a rate is refused; one that took place is free, and marked.",
        "R64": "Pools count what is billed.",
        "R65": "A call that outlasts its pool is split at a whole increment; the fee comes with "
        "the first paid second.",
        "R66": "Amounts are exact; they are rounded only where they are shown.",
        "R67": "A call belongs to the month in which it began.",
        "R68": "A long call is granted in slices, and ends where none can be paid.",
        "R69": "The same request again is not charged again.",
        "R70": "A usage record names the licence that paid.",
    },
    "Reports": {
        "R76": "The export has the known columns in their order, ours behind; each row its own id.",
        "R77": "Calls of attendants and queues name no user, those of meetings the organizer.",
        "R78": "The last digits of the other party's number are hidden, by the organisation's "
        "country.",
        "R79": "Reports go back a year; a list of calls as Graph's has 90 days, both ends "
        "included.",
        "R80": "Such a list comes in pages of 1,000, in one order; the last has no next link.",
        "R81": "Domestic and international follow from the usage location; calls that come in are "
        "neither.",
        "R82": "A pool is what is used of it and what is available; what is paid by the minute has "
        "none.",
        "R83": "What meetings called is summed by organizer, place, context and currency, with the "
        "fees.",
        "R84": "Who was blocked, and unblocked, is listed for good, with when.",
        "R85": "Calls over other carriers are not charged: no such type of call is taken.",
    },
    "Numbers": {
        "R88": "How many numbers an organisation can have follows from its licences.",
        "R89": "A toll-free number is had only by who has funded.",
        "R90": "A number that was looked for is kept for ten minutes.",
    },
    "Worked examples": {
        "V1": "Domestic 120 for two users, 239 minutes used, 90 seconds more.",
        "V2": "61 seconds at 0.013 a minute of a balance of 10.",
        "V3": "The same without the credits licence.",
        "V4": "A balance of 100, ten cents less, and auto-recharge of 200 below 100.",
        "V5": "Two lots of 50, 30 used, a year later.",
        "V6": "Two subscriptions, 119 minutes used, three minutes to Britain.",
        "V7": "An organizer in Zimbabwe calls Zimbabwe.",
        "V8": "A balance of zero and minutes left.",
        "V9": "A balance of zero and a toll-free number.",
        "V10": "An International plan whose 600 minutes are used, and a domestic call.",
        "V11": "Credits of 5 left by who pays after use.",
    },
}
"""Rules that the service keeps, in few words, by their numbers."""


def numbers_in(text: str) -> set[str]:
    """The numbers of the rules that a text names.

    >>> sorted(numbers_in("R36-R38: pools (V1, D12)"))
    ['R36', 'R37', 'R38', 'V1']
    """
    found = set()
    for kind, first, last in NUMBER.findall(text):
        found |= {f"{kind}{number}" for number in range(int(first), int(last or first) + 1)}
    return found


def told() -> Iterator[tuple[str, str]]:
    """Each test and story with what it says of itself."""
    for path in sorted(TESTS.rglob("test_*.py")):
        name = path.relative_to(TESTS.parent)
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.FunctionDef(name=test) | ast.AsyncFunctionDef(name=test) if (
                    test.startswith("test_")
                ):
                    yield f"{name}::{test}", ast.get_docstring(node) or ""
    for path in sorted(TESTS.rglob("*.txt")):
        comment = re.match(r"(#.*\n)*", path.read_text())
        yield str(path.relative_to(TESTS.parent)), comment[0] if comment else ""


def by_rule() -> dict[str, list[str]]:
    """The tests that show each rule."""
    found: dict[str, list[str]] = defaultdict(list)
    for test, text in told():
        for number in numbers_in(text):
            found[number].append(test)
    return found


def page() -> str:
    """Every rule with its tests."""
    tests = by_rule()
    parts = []
    for heading, rules in RULES.items():
        rows = [
            f"| {number} | {says} | {'<br>'.join(f'`{test}`' for test in tests[number])} |"
            for number, says in rules.items()
        ]
        parts.append("\n".join([f"## {heading}", "", "| | rule | tests |", "|---|---|---|", *rows]))
    body = "\n\n".join(parts)
    return f"""# The rules of charging, and their tests

<!-- Written by `make docs` from docs/rules.py and the tests. Change these, not this page. -->

What the service keeps to, by the numbers that tests and code use, and which tests hold it to that.
A test names the rules that it shows in its docstring, a story (a text under `tests/scenarios/`, see
there) in its first lines. `V` are worked examples.

{body}
"""
