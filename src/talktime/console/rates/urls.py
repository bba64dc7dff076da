from django.urls import path

from talktime.console.rates import plans_page, rates_page

OWN = "organisations/<int:organisation_id>/"

urlpatterns = [
    path(f"{OWN}plans/", plans_page.plans, name="plans"),
    path(f"{OWN}rates/", rates_page.rates, name="rates"),
    path(f"{OWN}rates/download/", rates_page.download, name="download-rates"),
]
