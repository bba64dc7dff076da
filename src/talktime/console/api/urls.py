from django.urls import path

from talktime.console.api import grants, payment_methods, purchases, recharge, refunds
from talktime.console.api.payment_events import payment_events
from talktime.console.api.users import users

ORGANISATION = "organisations/<str:name>"
PAYMENT = f"{ORGANISATION}/payments/<int:payment_id>"
METHOD = f"{ORGANISATION}/payment-methods/<int:method_id>"

urlpatterns = [
    path(f"{ORGANISATION}/users", users, name="api-users"),
    path("payment-events/<str:provider>", payment_events, name="api-payment-events"),
    path(f"{ORGANISATION}/wallet", recharge.wallet_door),
    path(f"{ORGANISATION}/purchases", purchases.purchases_door),
    path(f"{ORGANISATION}/purchases/terms", purchases.terms_door),
    path(f"{ORGANISATION}/payments", purchases.payments_door),
    path(PAYMENT, purchases.payment_door),
    path(f"{PAYMENT}/receipt", purchases.receipt_door),
    path(f"{PAYMENT}/cancel", purchases.cancel_door),
    path(f"{PAYMENT}/refunds", refunds.refunds_door),
    path(f"{ORGANISATION}/grants", grants.grants_door),
    path(f"{ORGANISATION}/grants/<int:grant_id>/approve", grants.approve_door),
    path(f"{ORGANISATION}/grants/<int:grant_id>/reject", grants.reject_door),
    path(f"{ORGANISATION}/recharge", recharge.recharge_door),
    path(f"{ORGANISATION}/recharge/resume", recharge.resume_door),
    path(f"{ORGANISATION}/alerts", recharge.alerts_door),
    path(f"{ORGANISATION}/payment-methods", payment_methods.methods_door),
    path(f"{ORGANISATION}/payment-methods/cards", payment_methods.cards_door),
    path(f"{ORGANISATION}/payment-methods/cards/<int:setup_id>", payment_methods.card_door),
    path(METHOD, payment_methods.method_door),
    path(f"{METHOD}/first", payment_methods.first_door),
]
