"""The tables of one cell about what programs asked for under an idempotency key."""

from django.db import models


class MoneyRequest(models.Model):
    """A request of the management API that moves money, and how it was answered; the same again
    gets the same answer. `answer` is empty while it is worked on, or where that was cut short."""

    pk = models.CompositePrimaryKey("organisation_id", "idempotency_key")
    organisation_id = models.BigIntegerField()
    idempotency_key = models.CharField(max_length=200)
    body_hash = models.BigIntegerField()
    answer = models.TextField()
    asked_ms = models.BigIntegerField()

    class Meta:
        db_table = "money_request"
        indexes = [models.Index(fields=["organisation_id", "asked_ms"], name="money_request_age")]


class Creation(models.Model):
    """What a program had made in this cell over the management API under an idempotency key, or a
    form of the console under its own, and the answer without its secret; the same again gets it
    once more."""

    pk = models.CompositePrimaryKey("organisation_id", "idempotency_key")
    organisation_id = models.BigIntegerField()
    idempotency_key = models.CharField(max_length=200)
    # Of the request and the installation's key together.
    body_hash = models.BigIntegerField()
    answer = models.TextField()
    asked_ms = models.BigIntegerField()

    class Meta:
        db_table = "creation"
        indexes = [models.Index(fields=["organisation_id", "asked_ms"], name="cell_creation_age")]
