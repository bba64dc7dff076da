"""Stripe's webhooks: whether they are Stripe's, and what they are about."""

import json
from collections.abc import Mapping
from typing import Any

import stripe

from talktime.core.charges import BadSignature, Event
from talktime.core.ids import id_in

TOLERANCE_S = 300
"""An event signed longer ago is not taken: it may be an old one, sent again by somebody else."""


def read_event(
    body: bytes, headers: Mapping[str, str], secret: str, now_s: int
) -> Event | BadSignature:
    """The event, if the header Stripe-Signature is made with this secret at most five minutes ago.

    `now_s`: seconds since the epoch. An event of a kind that is not looked at names no charge.
    """
    header = next(
        (value for key, value in headers.items() if key.lower() == "stripe-signature"), ""
    )
    try:
        stripe.WebhookSignature.verify_header(body.decode(), header, secret)
    except UnicodeDecodeError:
        return BadSignature("the body is not UTF-8")
    except stripe.SignatureVerificationError:
        return BadSignature("the header Stripe-Signature does not fit the body and the secret")
    signed_s = int(next(part[2:] for part in header.split(",") if part.startswith("t=")))
    if signed_s < now_s - TOLERANCE_S:
        return BadSignature(f"it was signed {now_s - signed_s} seconds ago")
    try:
        event = json.loads(body)
        return _event(event, event["data"]["object"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return BadSignature("the body is no event of Stripe's")


def _event(event: dict[str, Any], about: dict[str, Any]) -> Event:
    kind, named = str(event["type"]), str(about["id"])
    ours = about.get("metadata") or {}
    charge_ref = setup_ref = ""
    if kind.startswith("payment_intent."):
        charge_ref = named
    elif kind.startswith(("charge.", "refund.")):
        charge_ref = _ref(about.get("payment_intent"))
    elif kind.startswith("checkout.session."):
        setup_ref = named
    return Event(
        str(event["id"]),
        kind,
        charge_ref,
        setup_ref,
        id_in(str(ours.get("talktime_try"))),
        id_in(str(ours.get("talktime_organisation"))),
    )


def _ref(value: object) -> str:
    """The id of what a field names, expanded or not."""
    if isinstance(value, dict):
        return str(value.get("id") or "")
    return str(value or "")
