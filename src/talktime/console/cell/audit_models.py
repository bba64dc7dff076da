"""The table of one cell about who changed what."""

from django.db import models

from talktime.console.identity import Id


class AuditEntry(models.Model):
    """One change of something that the cell keeps: who, what, before and after (JSON objects).
    Inserted once, never changed. The control plane has the same table for what it keeps."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    # An account of the console, an API key, the shell, or the service by itself; and its name.
    actor_kind = models.CharField(max_length=16)
    actor = models.CharField(max_length=254)
    # From where: a network address.
    place = models.CharField(max_length=64)
    action = models.CharField(max_length=64)
    subject = models.CharField(max_length=254)
    before = models.TextField()
    after = models.TextField()
    at_ms = models.BigIntegerField()

    class Meta:
        db_table = "audit_entry"
        indexes = [
            models.Index(fields=["organisation_id", "at_ms", "id"], name="audit_entry_by_owner"),
            models.Index(fields=["at_ms", "id"], name="audit_entry_by_time"),
        ]
