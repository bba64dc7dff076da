"""The audit log: its words, its pages, its file. Mirrors src/talktime/console/audit."""

import ast
import csv
import io
import json
import re
from pathlib import Path

import talktime
from talktime.console.audit.actions import ACTIONS
from talktime.console.cell.models import AuditEntry
from talktime.console.control_plane.models import Account, Organisation
from talktime.console.control_plane.models import AuditEntry as SharedAuditEntry
from talktime.console.people.adapters import TOLD
from tests.console.rows import DAY_MS, START_MS, insert
from tests.console.test_pages import words_of

ACTION = re.compile("[a-z_]+[.][a-z_]+")
NOTING = {"note", "_note", "_turn"}
PAGE = "/organisations/1/audit/"


def noted():
    """Every action that the source notes; each call names its own, or hands it on."""
    found = {f"account.{kind}" for kind in TOLD.values()}
    for path in Path(talktime.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call):
                name = getattr(call.func, "id", getattr(call.func, "attr", ""))
                texts = [each for arg in call.args for each in ast.walk(arg)] * (name in NOTING)
                constants = [getattr(each, "value", None) for each in texts]
                found |= {
                    each for each in constants if isinstance(each, str) and ACTION.fullmatch(each)
                }
    return found


def test_every_action_that_is_noted_has_words_and_no_other():
    assert noted() == set(ACTIONS)


def changed(id_, action="recharge.set", model=AuditEntry, at_ms=START_MS, before="{}", **more):
    after = json.dumps(more.pop("after", {"enabled": True}))
    insert(model, id=id_, action=action, at_ms=at_ms, before=before, after=after, **more)


def found(response):
    """The changes of a page, each its words."""
    return re.findall(r"<strong>([^<]+)</strong>", response.content.decode())


def test_changes_of_cell_and_control_plane_are_one_list_with_before_and_after(admin):
    changed(1, before='{"trigger_micros": 5000000}', after={"trigger_micros": 7_500_000})
    changed(2, "payment_method.first", at_ms=START_MS + 1, subject="Visa <b>4242</b>")
    changed(3, "organisation.changed", SharedAuditEntry, START_MS + 2, subject="Contoso")
    changed(4, "grant.given", at_ms=START_MS + 3, organisation_id=2)
    page = admin.get(PAGE)
    first = ["Settings of organisation Contoso were changed"]
    second = "Visa &lt;b&gt;4242&lt;/b&gt; was made the first payment method"
    listed = [each for each in found(page) if "was added" not in each and "account" not in each]
    assert listed == [*first, second, "Auto-recharge settings were saved"]
    words = words_of(page)
    assert "When the balance falls below Before: €5.00 → After: €7.50" in words
    assert "admin@contoso.example Console 192.0.2.7" in words


def test_the_log_is_filtered_and_comes_in_pages(admin):
    for number in range(52):
        changed(number + 1, at_ms=START_MS + number * 1000, actor=f"user-{number}_%@x.example")
    changed(99, "alerts.set", at_ms=START_MS - 3 * DAY_MS, actor_kind="shell", actor="root")
    first = admin.get(f"{PAGE}?action=recharge.set")
    assert len(found(first)) == 50
    older = re.search(r'href="(\?action=recharge.set&amp;before=[0-9-]+)"', first.content.decode())
    rest = admin.get(PAGE + older[1].replace("&amp;", "&"))
    assert len(found(rest)) == 2
    assert found(admin.get(f"{PAGE}?actor=ROOT")) == ["Low-balance alerts were changed"]
    assert len(found(admin.get(f"{PAGE}?actor=7_%25"))) == 5
    until = f"{PAGE}?to=2027-01-13"
    assert found(admin.get(until)) == ["Low-balance alerts were changed"]
    assert "Nothing was found" in words_of(admin.get(f"{PAGE}?action=key.revoked"))
    for odd in (
        "from=x",
        "before=-",
        "before=99999999999999999999-1",
        "to=9999-12-31",
        "actor=%07",
    ):
        assert admin.get(f"{PAGE}?{odd}").status_code == 200


def test_the_file_has_a_row_for_each_fact_and_no_formulas(admin):
    changed(1, subject="=1+1", before='{"day_max": 5}', after={"day_max": 6, "enabled": False})
    response = admin.get(f"{PAGE}audit.csv?action=recharge.set")
    assert response.headers["Content-Disposition"] == 'attachment; filename="audit-Contoso.csv"'
    header, *rows = csv.reader(io.StringIO(response.content.decode()))
    assert header[:3] == ["At", "Actor kind", "Actor"]
    assert [row[6:] for row in rows] == [
        ["'=1+1", "Auto-recharge settings were saved", "Recharges in 24 hours, at most", "5", "6"],
        ["'=1+1", "Auto-recharge settings were saved", "Auto-recharge", "—", "No"],
    ]


def test_the_operators_log_is_of_all_organisations_and_for_the_operator_alone(admin):
    insert(Organisation, id=2, name="Fabrikam")
    changed(1)
    changed(2, "grant.given", organisation_id=2, after={"amount_micros": 5_000_000})
    changed(3, "catalogue.changed", SharedAuditEntry, organisation_id=None, subject="policy A")
    assert admin.get("/operator/audit/").status_code == 404
    Account.objects.update(staff_role="finance")
    words = words_of(admin.get("/operator/audit/"))
    assert "Fabrikam Credits were granted Amount €5.00" in words
    assert "All The catalogue was changed: policy A" in words
    only = admin.get("/operator/audit/?organisation=Fabrikam")
    assert found(only) == ["Credits were granted"]
    assert "Nothing was found" in words_of(admin.get("/operator/audit/?organisation=Nobody"))
    rows = admin.get("/operator/audit/audit.csv?action=grant.given").content.decode()
    assert "Fabrikam,grant.given" in rows
