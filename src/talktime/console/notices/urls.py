from django.urls import path

from talktime.console.notices import pages, recipients

urlpatterns = [
    path("", pages.notices, name="notices"),
    path("recipients/", recipients.recipients, name="recipients"),
    path("recipients/add/", recipients.add_recipient_page, name="add-recipient"),
    path("recipients/edit/", recipients.recipient, name="recipient"),
    path("recipients/remove/", recipients.remove, name="remove-recipient"),
    path("recipients/test/", recipients.test, name="test-recipient"),
    path("<int:delivery_id>/", pages.delivery, name="delivery"),
    path("<int:delivery_id>/mail/", pages.mail, name="mail"),
    path("<int:delivery_id>/again/", pages.again, name="send-again"),
]
