"""The tables of one cell about usage: the records of calls; what makes them quick to read, sums by
day and views people keep."""

from django.db import models
from django.db.models import Q

from talktime.console.cell.constraints import one_of
from talktime.console.identity import Id


class UsageRecord(models.Model):
    """One finished, rated call, or a later correction of one. Inserted once, never changed."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    call_id = models.BigIntegerField()
    switch_id = models.BigIntegerField()
    call_key = models.CharField(max_length=255)
    kind = models.CharField(max_length=16)
    type = models.CharField(max_length=32)
    user_id = models.BigIntegerField(null=True)
    from_digits = models.CharField(max_length=15)
    to_digits = models.CharField(max_length=15)
    destination = models.CharField(max_length=200)
    prefix = models.CharField(max_length=15)
    rate = models.TextField()
    currency = models.CharField(max_length=3)
    started_ms = models.BigIntegerField()
    ended_ms = models.BigIntegerField()
    used_s = models.IntegerField()
    billed_s = models.IntegerField()
    fee_micros = models.BigIntegerField()
    charge_micros = models.BigIntegerField()
    cause = models.CharField(max_length=64)
    # The switch's own id of the conference; empty for none.
    conference_id = models.CharField(max_length=64)
    capability = models.CharField(max_length=32)
    flags = models.TextField()
    because = models.TextField()
    # The calendar month in which the call began (D13); what of it was included minutes (the meter
    # they were taken from), and what is paid after use.
    month = models.CharField(max_length=7)
    pool = models.CharField(max_length=128)
    pool_s = models.IntegerField()
    post_micros = models.BigIntegerField()

    class Meta:
        db_table = "usage_record"
        constraints = [
            one_of("kind", ["call", "correction"], "usage_kind_known"),
            models.CheckConstraint(
                condition=Q(kind="correction") | Q(used_s__gte=0), name="usage_used_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(kind="correction") | Q(billed_s__gte=0),
                name="usage_billed_not_negative",
            ),
        ]
        indexes = [
            models.Index(fields=["organisation_id", "started_ms"], name="usage_by_start"),
            models.Index(fields=["call_id"], name="usage_by_call"),
            # Few: calls that took place and could not be priced, for the operator to see (D10).
            models.Index(fields=["id"], condition=Q(capability="FREECALL"), name="usage_unpriced"),
        ]


class UsageDay(models.Model):
    """The sums of an organisation's usage records by UTC day, user, country, context, capability
    and type of call; of the records up to mark `usage_day`. A projection: it can be made anew from
    the records. Each record is in two rows: its user's, and that of all users (user -1)."""

    pk = models.CompositePrimaryKey(
        "organisation_id", "day", "user_id", "country", "context", "capability", "type"
    )
    organisation_id = models.BigIntegerField()
    # Days since 1970-01-01 of the start, UTC.
    day = models.IntegerField()
    # 0 where there is no user (service numbers), -1 for all.
    user_id = models.BigIntegerField()
    # Of the other party; '' for none.
    country = models.CharField(max_length=2)
    # Domestic, International or '', as seen from the user.
    context = models.CharField(max_length=13)
    capability = models.CharField(max_length=32)
    type = models.CharField(max_length=32)
    # Records are calls and corrections of calls.
    records = models.BigIntegerField()
    calls = models.BigIntegerField()
    used_s = models.BigIntegerField()
    billed_s = models.BigIntegerField()
    pool_s = models.BigIntegerField()
    charge_micros = models.BigIntegerField()
    post_micros = models.BigIntegerField()

    class Meta:
        db_table = "usage_day"


class UsageUser(models.Model):
    """What each user has of the same records, by UTC day and by month, whatever the country and the
    capability: so that all users of a long time can be set side by side."""

    pk = models.CompositePrimaryKey("organisation_id", "scope", "span", "user_id")
    organisation_id = models.BigIntegerField()
    # out, in; and of the first: conf_out/ with the context.
    scope = models.CharField(max_length=32)
    # A day since 1970-01-01; below zero a month, -(year * 12 + month).
    span = models.IntegerField()
    user_id = models.BigIntegerField()
    records = models.BigIntegerField()
    calls = models.BigIntegerField()
    used_s = models.BigIntegerField()
    billed_s = models.BigIntegerField()
    pool_s = models.BigIntegerField()
    charge_micros = models.BigIntegerField()
    post_micros = models.BigIntegerField()

    class Meta:
        db_table = "usage_user"


class SavedView(models.Model):
    """A report that somebody kept: its filters and columns under a name, for the organisation."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    name = models.CharField(max_length=64)
    page = models.CharField(max_length=32)
    # The query of the page's address.
    query = models.TextField()
    created_by = models.CharField(max_length=254)
    created_ms = models.BigIntegerField()

    class Meta:
        db_table = "saved_view"
        constraints = [
            models.UniqueConstraint(
                fields=["organisation_id", "page", "name"], name="saved_view_once_by_name"
            )
        ]
