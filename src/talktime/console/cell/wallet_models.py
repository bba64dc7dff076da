"""The tables of one cell beside a wallet's own: what makes its movements quick to add up, and what
was taken back of it."""

from django.db import models
from django.db.models import F, Q

from talktime.console.cell.constraints import not_negative, positive
from talktime.console.identity import Id


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


class TakenBack(models.Model):
    """What an operator took back of a lot that was entered by mistake. Inserted once, never
    changed."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    lot_id = models.BigIntegerField()
    amount_micros = models.BigIntegerField()
    # Of it: what was free of the lot, and what had been spent or was held and is owed.
    voided_micros = models.BigIntegerField()
    debt_micros = models.BigIntegerField()
    idempotency_key = models.CharField(max_length=200)
    body_hash = models.BigIntegerField()
    reason = models.CharField(max_length=500)
    actor = models.CharField(max_length=200)
    at_ms = models.BigIntegerField()

    class Meta:
        db_table = "taken_back"
        constraints = [
            positive("amount_micros", "taken_back_amount_positive"),
            not_negative("voided_micros", "taken_back_voided_not_negative"),
            not_negative("debt_micros", "taken_back_debt_not_negative"),
            models.CheckConstraint(
                condition=Q(amount_micros=F("voided_micros") + F("debt_micros")),
                name="taken_back_is_voided_and_debt",
            ),
            models.UniqueConstraint(
                fields=["organisation_id", "idempotency_key"], name="taken_back_once_by_key"
            ),
        ]
        indexes = [models.Index(fields=["organisation_id", "lot_id"], name="taken_back_of_lot")]
