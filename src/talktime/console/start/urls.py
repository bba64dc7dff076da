from django.urls import path

from talktime.console.start import invoices, views
from talktime.console.start.clock_page import clock

urlpatterns = [
    path("", views.start, name="start"),
    path("organisations/<int:organisation_id>/", views.organisation, name="organisation"),
    path("clock/", clock, name="clock"),
    path("organisations/<int:organisation_id>/invoices/", invoices.invoices, name="invoices"),
    path(
        "organisations/<int:organisation_id>/invoices/<str:number>.pdf",
        invoices.invoice_pdf,
        name="invoice_pdf",
    ),
]
