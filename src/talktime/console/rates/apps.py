from django.apps import AppConfig


class RatesConfig(AppConfig):
    name = "talktime.console.rates"
    label = "rates"
    verbose_name = "Rates"
