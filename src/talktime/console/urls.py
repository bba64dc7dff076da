from django.urls import include, path, re_path

from talktime.console.api.refusals import nothing_here

handler400 = "talktime.console.start.views.not_understood"
urlpatterns = [
    path("api/v1/", include("talktime.console.api.urls")),
    re_path("^api/", nothing_here),
    path("", include("talktime.console.home.urls")),
    path("", include("talktime.console.billing.urls")),
    path("organisations/<int:organisation_id>/notices/", include("talktime.console.notices.urls")),
    path("", include("talktime.console.people.urls")),
    path("", include("talktime.console.webhooks.urls")),
    path("organisations/<int:organisation_id>/keys/", include("talktime.console.keys.urls")),
    path("", include("talktime.console.audit.urls")),
    path("operator/", include("talktime.console.operator.urls")),
    path("", include("talktime.console.users.urls")),
    path("", include("talktime.console.rates.urls")),
    path("", include("talktime.console.usage.urls")),
    path("", include("talktime.console.start.urls")),
]
