from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "talktime.console.people"
    label = "people"
