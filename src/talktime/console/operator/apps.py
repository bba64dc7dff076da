from django.apps import AppConfig


class OperatorConfig(AppConfig):
    name = "talktime.console.operator"
    label = "operator"
