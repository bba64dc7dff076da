from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "talktime.console.users"
    label = "users"
    verbose_name = "Users"
