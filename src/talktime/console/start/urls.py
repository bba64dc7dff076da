from django.contrib.auth.views import LogoutView
from django.urls import path

from talktime.console.start import views
from talktime.console.start.clock_page import clock
from talktime.console.start.sign_in import SignIn

urlpatterns = [
    path("", views.start, name="start"),
    path("sign-in/", SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("organisations/", views.organisations, name="organisations"),
    path("clock/", clock, name="clock"),
]
