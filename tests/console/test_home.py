"""The first page of an organisation. Mirrors src/talktime/console/home."""

from tests.console.test_billing_credits import admin, money
from tests.console.test_pages import words_of

__all__ = ["admin", "money"]


def test_smoke(admin, money):
    for path in (
        "",
        "now/",
        "products/",
        "credits/",
        "credits/recharge/",
        "credits/lots/",
        "credits/transactions/",
        "credits/add/",
        "credits/methods/",
        "invoices/",
        "invoices/profile/",
        "post-usage/",
        "post-usage/pay-as-you-go/",
        "credits/payments/",
    ):
        response = admin.get(f"/organisations/{money.owner.id}/{path}")
        print(path, response.status_code, words_of(response)[:3000])
        assert response.status_code == 200
    r = admin.get(f"/organisations/{money.owner.id}/credits/transactions.csv")
    print(b"".join(r.streaming_content))
