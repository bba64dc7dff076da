from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "talktime.console.api"
    label = "api"
    verbose_name = "Management API"
