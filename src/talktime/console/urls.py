from django.urls import include, path

urlpatterns = [
    path("api/v1/", include("talktime.console.api.urls")),
    path("", include("talktime.console.start.urls")),
]
