from django.urls import path

from talktime.console.start import views
from talktime.console.start.clock_page import clock

urlpatterns = [
    path("", views.start, name="start"),
    path("clock/", clock, name="clock"),
]
