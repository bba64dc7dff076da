from django.urls import path

from talktime.console.api.users import users

urlpatterns = [path("organisations/<str:name>/users", users, name="api-users")]
