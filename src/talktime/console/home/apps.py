from django.apps import AppConfig


class HomeConfig(AppConfig):
    name = "talktime.console.home"
    label = "home"
