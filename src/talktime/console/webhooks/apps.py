from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "talktime.console.webhooks"
    label = "webhooks"
    verbose_name = "Webhooks"
