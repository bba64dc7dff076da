from django.urls import path

from talktime.console.api.payment_events import payment_events
from talktime.console.api.users import users

urlpatterns = [
    path("organisations/<str:name>/users", users, name="api-users"),
    path("payment-events/<str:provider>", payment_events, name="api-payment-events"),
]
