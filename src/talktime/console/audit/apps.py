from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "talktime.console.audit"
    label = "audit"
    verbose_name = "Audit log"
