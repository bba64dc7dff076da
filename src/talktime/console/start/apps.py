from django.apps import AppConfig


class StartConfig(AppConfig):
    name = "talktime.console.start"
    label = "start"
    verbose_name = "Start page and sign-in"
