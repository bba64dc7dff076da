from django.apps import AppConfig


class KeysConfig(AppConfig):
    name = "talktime.console.keys"
    label = "keys"
    verbose_name = "API keys"
