"""Price lists that the operator's people download and upload again. Mirrors
src/talktime/console/operator/rate_upload.py."""

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
