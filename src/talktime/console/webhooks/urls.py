from django.urls import path

from talktime.console.webhooks import changes, pages

WEBHOOKS = "organisations/<int:organisation_id>/webhooks/"
ONE = f"{WEBHOOKS}<int:endpoint_id>/"

urlpatterns = [
    path(WEBHOOKS, pages.webhooks, name="webhooks"),
    path(f"{WEBHOOKS}add/", pages.add_webhook, name="add-webhook"),
    path(ONE, pages.webhook, name="webhook"),
    path(f"{ONE}events/", pages.webhook_kinds, name="webhook-kinds"),
    path(f"{ONE}rotate/", changes.rotate, name="rotate-webhook"),
    path(f"{ONE}enable/", changes.enable, name="enable-webhook"),
    path(f"{ONE}disable/", changes.disable, name="disable-webhook"),
    path(f"{ONE}remove/", changes.remove, name="remove-webhook"),
    path(f"{ONE}test/", changes.test, name="test-webhook"),
    path(f"{ONE}again/", changes.again, name="replay-webhook"),
]
