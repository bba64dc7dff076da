from django.urls import path

from talktime.console.notices import views

urlpatterns = [
    path("", views.notices, name="notices"),
    path("<int:delivery_id>/", views.delivery, name="delivery"),
    path("<int:delivery_id>/mail/", views.mail, name="mail"),
    path("<int:delivery_id>/again/", views.again, name="send-again"),
]
