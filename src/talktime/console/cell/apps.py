from django.apps import AppConfig


class CellConfig(AppConfig):
    name = "talktime.console.cell"
    label = "cell"
    verbose_name = "Cell"
