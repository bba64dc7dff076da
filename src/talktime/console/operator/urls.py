from django.urls import path

from talktime.console.operator import (
    books_page,
    calls_page,
    catalogue_import,
    catalogue_page,
    grants_page,
    jobs_page,
    live_page,
    money_page,
    organisation_changes,
    organisation_money,
    organisation_page,
    organisations_page,
    overview,
    payments_page,
    peers_page,
    rate_cards,
    rate_upload,
    settle_credit_page,
    switches_page,
    take_back_page,
    undo_payment_page,
)

ORGANISATION = "organisations/<int:organisation_id>/"
PAYMENT = f"{ORGANISATION}payments/<int:payment_id>/"

urlpatterns = [
    path("", overview.overview, name="operator"),
    path("organisations/", organisations_page.organisations, name="operator-organisations"),
    path(
        "organisations/new/", organisations_page.new_organisation, name="operator-new-organisation"
    ),
    path(ORGANISATION, organisation_page.organisation, name="operator-organisation"),
    path(f"{ORGANISATION}grant/", organisation_money.grant, name="operator-grant"),
    path(
        f"{ORGANISATION}credit-after-use/",
        settle_credit_page.settle,
        name="operator-settle-credit",
    ),
    path(f"{ORGANISATION}adjust/", organisation_money.adjust, name="operator-adjust"),
    path(
        f"{ORGANISATION}lots/<int:lot_id>/take-back/",
        take_back_page.take_back_lot,
        name="operator-take-back",
    ),
    path(f"{PAYMENT}refund/", organisation_money.refund, name="operator-refund"),
    path(f"{PAYMENT}undo/", undo_payment_page.undo, name="operator-undo-payment"),
    path(f"{PAYMENT}receipt/", organisation_money.receipt, name="operator-receipt"),
    path(f"{ORGANISATION}change/", organisation_changes.change, name="operator-change"),
    path(f"{ORGANISATION}close/", organisation_changes.close, name="operator-close"),
    path(f"{ORGANISATION}model/", organisation_changes.model, name="operator-model"),
    path("grants/", grants_page.grants, name="operator-grants"),
    path(
        f"{ORGANISATION}grants/<int:grant_id>/",
        grants_page.decide_grant,
        name="operator-decide-grant",
    ),
    path("limits/<int:limit_id>/", grants_page.decide_limit, name="operator-decide-limit"),
    path("payments/", payments_page.payments, name="operator-payments"),
    path("calls/", calls_page.calls, name="operator-calls"),
    path("rate-cards/", rate_cards.rate_cards, name="operator-rate-cards"),
    path("rate-cards/<path:name>/", rate_cards.rate_card, name="operator-rate-card"),
    path("rate-versions/<int:version_id>.csv", rate_cards.rates_file, name="operator-rates-file"),
    path(
        "rate-versions/<int:version_id>/again/", rate_cards.rates_again, name="operator-rates-again"
    ),
    path("rate-upload/", rate_upload.rate_upload, name="operator-rate-upload"),
    path("rate-drafts/<int:draft_id>/", rate_upload.rate_draft, name="operator-rate-draft"),
    path(
        "rate-drafts/<int:draft_id>/publish/",
        rate_upload.publish_rates,
        name="operator-publish-rates",
    ),
    path("catalogue/", catalogue_page.catalogue, name="operator-catalogue"),
    path("catalogue.yaml", catalogue_page.catalogue_file, name="operator-catalogue-file"),
    path("catalogue/import/", catalogue_import.catalogue_import, name="operator-catalogue-import"),
    path("catalogue/<str:kind>/new/", catalogue_page.catalogue_new, name="operator-catalogue-new"),
    path(
        "catalogue/<str:kind>/of/<path:code>/",
        catalogue_page.catalogue_entry,
        name="operator-catalogue-entry",
    ),
    path("money/", money_page.money, name="operator-money"),
    path("trial-balance/", money_page.trial, name="operator-trial-balance"),
    path("books/", books_page.books, name="operator-books"),
    path("books/prove/", books_page.prove, name="operator-prove"),
    path("jobs/", jobs_page.jobs, name="operator-jobs"),
    path("live/", live_page.live, name="operator-live"),
    path("switches/", switches_page.switches, name="operator-switches"),
    path("switches/new/", switches_page.new_switch, name="operator-new-switch"),
    path("switches/<int:switch_id>/keys/new/", switches_page.new_key, name="operator-new-key"),
    path(
        "switches/<int:switch_id>/peers/<str:protocol>/new/",
        peers_page.new_peer,
        name="operator-new-peer",
    ),
    path("peers/<int:peer_id>/revoke/", peers_page.revoke, name="operator-revoke-peer"),
    path("keys/<int:key_id>/rotate/", switches_page.rotate, name="operator-rotate-key"),
    path("keys/<int:key_id>/revoke/", switches_page.revoke, name="operator-revoke-key"),
]
