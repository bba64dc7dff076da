from django.apps import AppConfig


class ThemeConfig(AppConfig):
    name = "talktime.console.theme"
    label = "theme"
