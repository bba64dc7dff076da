from django.contrib.auth.views import LogoutView
from django.urls import path

from talktime.console.start import invoices, views
from talktime.console.start.clock_page import clock
from talktime.console.start.sign_in import SignIn

urlpatterns = [
    path("", views.start, name="start"),
    path("sign-in/", SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("organisations/", views.organisation, name="organisations"),
    path("organisations/<int:organisation_id>/", views.organisation, name="organisation"),
    path("clock/", clock, name="clock"),
    path("organisations/<int:organisation_id>/invoices/", invoices.invoices, name="invoices"),
    path(
        "organisations/<int:organisation_id>/invoices/<str:number>.pdf",
        invoices.invoice_pdf,
        name="invoice_pdf",
    ),
]
