from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "talktime.console.billing"
    label = "billing"
