"""Price lists that the operator's people download and upload again. Mirrors
src/talktime/console/operator/rate_upload.py."""

import re

from django.core.files.uploadedfile import SimpleUploadedFile

from talktime.console.control_plane.models import RateCard
from tests.console.test_operator_flows import money as money
from tests.console.test_operator_flows import staff as staff
from tests.console.test_pages import words_of


def test_rates_are_downloaded_without_formulas_and_uploaded_again_as_they_were(money, staff):
    card = {"name": "standard", "currency": "USD", "valid_from": ""}
    content = b"prefix,destination,price_per_minute\n48,=1+1,0.0150\n"

    def drafted(content):
        file = SimpleUploadedFile("rates.csv", content)
        return staff.post("rate-upload/", **card, file=file).headers["Location"][10:]

    draft = drafted(content)
    staff.sure(f"{draft}publish/")
    name = RateCard.objects.get(source="rates.csv").id
    theirs = staff.client.get(f"/organisations/{money.owner.id}/rates/download/")
    for file in (staff.get(f"rate-versions/{name}.csv"), theirs):
        downloaded = file.getvalue()
        assert b"48,'=1+1," in downloaded
        compared = words_of(staff.get(drafted(downloaded)))
        assert "Dearer 0 Cheaper 0 Added 0 Removed 0 Unchanged 1" in compared
    for start in ("x", "9" * 5_000):
        page = staff.get(f"{drafted(content)}?start={start}")
        assert (page.status_code, "Unchanged 1" in words_of(page)) == (200, True)


def begun(staff, path="rate-upload/"):
    """The card and currency that the form begins with."""
    page = staff.get(path).content.decode()
    fields = (
        re.search(rf'<input[^>]* name="{name}"[^>]*>', page)[0] for name in ("name", "currency")
    )
    return tuple((re.search(r' value="([^"]*)"', field) or ["", ""])[1] for field in fields)


def test_an_upload_begins_with_the_card_that_one_comes_from_or_with_none_of_several(money, staff):
    def publish(name, currency):
        file = SimpleUploadedFile("rates.csv", b"prefix,destination,price_per_minute\n48,P,0.01\n")
        card = {"name": name, "currency": currency, "valid_from": ""}
        draft = staff.post("rate-upload/", **card, file=file).headers["Location"][10:]
        staff.sure(f"{draft}publish/")

    names = set(RateCard.objects.values_list("name", flat=True))
    assert names == set()
    assert begun(staff) == ("standard", "USD")
    publish("retail", "EUR")
    assert begun(staff) == ("retail", "EUR")
    publish("wholesale", "NOK")
    assert begun(staff) == ("", "")
    (link,) = re.findall(
        r'href="/operator/(rate-upload/[^"]+)"', str(staff.get("rate-cards/retail/").content)
    )
    assert begun(staff, link) == ("retail", "EUR")
    assert begun(staff, "rate-upload/?card=a+new+one") == ("a new one", "")
