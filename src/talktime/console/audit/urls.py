from django.urls import path

from talktime.console.audit import pages

AUDIT = "organisations/<int:organisation_id>/audit/"

urlpatterns = [
    path(AUDIT, pages.audit, name="audit"),
    path(f"{AUDIT}audit.csv", pages.audit_file, name="audit-file"),
    path("operator/audit/", pages.operator_audit, name="operator-audit"),
    path("operator/audit/audit.csv", pages.operator_audit_file, name="operator-audit-file"),
]
