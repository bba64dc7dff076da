from django.urls import path

from talktime.console.billing import credits_page, method_pages, purchase_pages, sandbox_pages

CREDITS = "organisations/<int:organisation_id>/credits/"
METHOD = f"{CREDITS}methods/<int:method_id>/"

urlpatterns = [
    path(CREDITS, credits_page.credits_page, name="credits"),
    path(f"{CREDITS}recharge/", credits_page.recharge_page, name="recharge"),
    path(f"{CREDITS}recharge/resume/", credits_page.resume_recharge, name="resume-recharge"),
    path(f"{CREDITS}alerts/", credits_page.alerts_page, name="alerts"),
    path(f"{CREDITS}add/", purchase_pages.add_funds, name="add-funds"),
    path(f"{CREDITS}add/pay/", purchase_pages.pay, name="pay"),
    path(f"{CREDITS}payments/", purchase_pages.payments_page, name="payments"),
    path(f"{CREDITS}payments/<int:payment_id>/", purchase_pages.payment_page, name="payment"),
    path(f"{CREDITS}methods/", method_pages.methods_page, name="methods"),
    path(f"{CREDITS}methods/cards/", method_pages.add_card, name="add-card"),
    path(f"{CREDITS}methods/cards/<int:setup_id>/", method_pages.card_setup, name="card-setup"),
    path(f"{METHOD}first/", method_pages.first_method, name="first-method"),
    path(f"{METHOD}remove/", method_pages.removed_method, name="remove-method"),
    path("sandbox/", sandbox_pages.bank, name="sandbox"),
    path("sandbox/cards/<int:card_id>/", sandbox_pages.card, name="sandbox-card"),
    path("sandbox/charges/<int:charge_id>/", sandbox_pages.charge, name="sandbox-charge"),
]
