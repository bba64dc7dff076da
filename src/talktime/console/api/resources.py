"""All resources of the management API, in the order of its document."""

from talktime.console.api.attention import attention
from talktime.console.api.billed_too_much import billed_too_much
from talktime.console.api.blocked_users import blocked
from talktime.console.api.books import books
from talktime.console.api.calling import calling
from talktime.console.api.calls_now import calls_now
from talktime.console.api.catalogue import catalogue
from talktime.console.api.dial_out import dial_out
from talktime.console.api.documents import invoices, profile, statements
from talktime.console.api.health import health
from talktime.console.api.keys import keys
from talktime.console.api.ledger import ledger
from talktime.console.api.notices import notices, recipients
from talktime.console.api.numbers import numbers
from talktime.console.api.organisations import every, model, one
from talktime.console.api.payment_methods import methods
from talktime.console.api.payments import grants, payments
from talktime.console.api.pools import pools
from talktime.console.api.rate_cards import cards
from talktime.console.api.switches import switches
from talktime.console.api.team import audit, team
from talktime.console.api.usage import usage
from talktime.console.api.usage_reports import reports
from talktime.console.api.users import groups, users
from talktime.console.api.views import views
from talktime.console.api.wallet import wallet
from talktime.console.api.webhooks import webhooks

RESOURCES = (
    *(every, one, model),
    *(wallet, ledger, payments, methods, invoices, statements, billed_too_much),
    *(profile, grants),
    *(users, groups, numbers, pools, calling, calls_now),
    *(usage, reports, dial_out, blocked, views),
    *(recipients, webhooks, notices),
    *(team, keys, audit),
    *(attention, books, switches, cards, catalogue, health),
)
