from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "talktime.console.notices"
    label = "notices"
    verbose_name = "Notices"
