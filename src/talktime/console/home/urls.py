from django.urls import path

from talktime.console.home import pages

HERE = "organisations/<int:organisation_id>/"

urlpatterns = [
    path(HERE, pages.home, name="organisation"),
    path(f"{HERE}now/", pages.now, name="home-now"),
]
