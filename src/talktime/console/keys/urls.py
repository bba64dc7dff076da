from django.urls import path

from talktime.console.keys import pages

urlpatterns = [
    path("", pages.keys, name="keys"),
    path("new/", pages.new_key, name="new-key"),
    path("<int:key_id>/rotate/", pages.rotated_key, name="rotate-key"),
    path("<int:key_id>/revoke/", pages.revoked_key, name="revoke-key"),
]
