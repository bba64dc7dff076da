"""The tables of one cell that make usage quick to read: sums by day, and views people keep."""

from django.db import models

from talktime.console.identity import Id


class UsageDay(models.Model):
    """The sums of an organisation's usage records by UTC day, user, country, context, capability
    and type of call; of the records up to `usage_cursor`. A projection: it can be made anew from
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


class UsageCursor(models.Model):
    """Up to which row a projection has everything: of `usage_record` the table `usage_day`, of
    `transfer` the table `wallet_hour`."""

    name = models.CharField(max_length=32, primary_key=True)
    usage_id = models.BigIntegerField()
    summed_ms = models.BigIntegerField()

    class Meta:
        db_table = "usage_cursor"


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
