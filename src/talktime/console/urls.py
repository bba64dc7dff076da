from django.urls import include, path, re_path

from talktime.console.api.answers import nothing_here

urlpatterns = [
    path("api/v1/", include("talktime.console.api.urls")),
    re_path("^api/", nothing_here),
    path("", include("talktime.console.billing.urls")),
    path("organisations/<int:organisation_id>/notices/", include("talktime.console.notices.urls")),
    path("", include("talktime.console.usage.urls")),
    path("", include("talktime.console.start.urls")),
]
