from django.urls import path

from talktime.console.billing import (
    credits_page,
    document_pages,
    lot_pages,
    method_pages,
    model_pages,
    purchase_pages,
    recharge_page,
    sandbox_pages,
    transaction_pages,
)

HERE = "organisations/<int:organisation_id>/"
CREDITS = f"{HERE}credits/"
METHOD = f"{CREDITS}methods/<int:method_id>/"
STATEMENT = f"{HERE}statements/<str:month>/"
SWITCH = f"{HERE}post-usage/"

urlpatterns = [
    path(f"{HERE}products/", credits_page.products, name="products"),
    path(CREDITS, credits_page.credits_page, name="credits"),
    path(f"{CREDITS}recharge/", recharge_page.recharge_page, name="recharge"),
    path(f"{CREDITS}recharge/replay/", recharge_page.recharge_replay, name="recharge-replay"),
    path(f"{CREDITS}recharge/resume/", recharge_page.resume_recharge, name="resume-recharge"),
    path(f"{CREDITS}alerts/", recharge_page.alerts_page, name="alerts"),
    path(f"{CREDITS}add/", purchase_pages.add_funds, name="add-funds"),
    path(f"{CREDITS}add/pay/", purchase_pages.pay, name="pay"),
    path(f"{CREDITS}payments/", purchase_pages.payments_page, name="payments"),
    path(f"{CREDITS}payments/<int:payment_id>/", purchase_pages.payment_page, name="payment"),
    path(f"{CREDITS}methods/", method_pages.methods_page, name="methods"),
    path(f"{CREDITS}methods/cards/", method_pages.add_card, name="add-card"),
    path(f"{CREDITS}methods/cards/<int:setup_id>/", method_pages.card_setup, name="card-setup"),
    path(f"{METHOD}first/", method_pages.first_method, name="first-method"),
    path(f"{METHOD}remove/", method_pages.removed_method, name="remove-method"),
    path(f"{CREDITS}lots/", lot_pages.lots_page, name="lots"),
    path(f"{CREDITS}lots/<int:lot_id>/", lot_pages.lot_page, name="lot"),
    path(f"{CREDITS}transactions/", transaction_pages.transactions, name="transactions"),
    path(f"{CREDITS}transactions.csv", transaction_pages.transactions_csv, name="transactions-csv"),
    path(f"{HERE}invoices/", document_pages.invoices, name="invoices"),
    path(f"{HERE}invoices/profile/", document_pages.billing_profile, name="billing-profile"),
    path(f"{HERE}invoices/<str:number>.pdf", document_pages.invoice_pdf, name="invoice_pdf"),
    path(STATEMENT, document_pages.statement_page, name="statement"),
    path(f"{STATEMENT}usage.csv", document_pages.statement_csv, name="statement-csv"),
    path(f"{STATEMENT}usage.json", document_pages.statement_json, name="statement-json"),
    path(SWITCH, model_pages.switch_to_post_usage, name="switch-to-post-usage"),
    path(f"{SWITCH}change/", model_pages.change_commerce_model, name="change-commerce-model"),
    path(f"{SWITCH}pay-as-you-go/", model_pages.pay_as_you_go, name="pay-as-you-go"),
    path("sandbox/", sandbox_pages.bank, name="sandbox"),
    path("sandbox/cards/<int:card_id>/", sandbox_pages.card, name="sandbox-card"),
    path("sandbox/charges/<int:charge_id>/", sandbox_pages.charge, name="sandbox-charge"),
]
