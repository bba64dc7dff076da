from django.apps import AppConfig


class UsageConfig(AppConfig):
    name = "talktime.console.usage"
    label = "usage"
