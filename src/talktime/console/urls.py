from django.urls import include, path

urlpatterns = [path("", include("talktime.console.start.urls"))]
