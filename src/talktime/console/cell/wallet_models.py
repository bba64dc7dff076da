"""The table of one cell that makes the movements of a wallet quick to add up."""

from django.db import models


class WalletHour(models.Model):
    """The sums of the transfers of an organisation's wallet by UTC hour and account (a lot, or the
    debt), of those up to mark `wallet_hour`. A projection: it can be made anew
    from the transfers."""

    pk = models.CompositePrimaryKey("organisation_id", "hour", "account")
    organisation_id = models.BigIntegerField()
    # Hours since 1970-01-01, UTC.
    hour = models.IntegerField()
    account = models.BigIntegerField()
    # What they did to the balance, and how much of that calls took (corrections give back).
    effect_micros = models.BigIntegerField()
    spent_micros = models.BigIntegerField()

    class Meta:
        db_table = "wallet_hour"
        indexes = [
            models.Index(
                fields=["organisation_id", "account", "hour"], name="wallet_hour_by_account"
            )
        ]
