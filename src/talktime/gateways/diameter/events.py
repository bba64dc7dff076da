"""One-time events (RFC 8506, 6): a debit at once, its refund, the balance, the price."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec

from talktime.core.commands import Authorize, CallCommand, Refund, Settle
from talktime.core.debits import DEBIT, REFUND
from talktime.core.limits import CALL_SECONDS_MAX
from talktime.core.money import decimal_text
from talktime.core.rating import billed_seconds, price_micros
from talktime.core.refusal import Refusal
from talktime.gateways.diameter import answers
from talktime.gateways.diameter import avps as a
from talktime.gateways.diameter import results as r
from talktime.gateways.diameter.codec import write_unsigned, zeros
from talktime.gateways.diameter.costs import cost_information
from talktime.gateways.diameter.credit import Asked, Credit
from talktime.gateways.diameter.requests import (
    CHECK_BALANCE,
    DIRECT_DEBITING,
    PRICE_ENQUIRY,
    REFUND_ACCOUNT,
)
from talktime.gateways.told import Told, told

ENOUGH_CREDIT, NO_CREDIT = 0, 1
NO_UNITS = zeros(a.REQUESTED_SERVICE_UNIT, 0, 0)
NO_CALL = ""
"""What is asked of the balance or a price is no request of the call that its session may have."""


class Events:
    """What answers EVENT_REQUESTs: each is a session of one request."""

    def __init__(self, credit: Credit) -> None:
        self._credit = credit

    def begin(self, asked: Asked) -> None:
        """Do what an event asks; it is answered after the commit."""
        action = asked.request.action
        if action == REFUND_ACCOUNT:
            self._credit.spawn(asked, self._refund(asked))
            return
        if not asked.request.asked_s and action == DIRECT_DEBITING:
            why = "a debit needs Requested-Service-Unit"
            self._credit.refuse(asked, "invalid_request", why, NO_UNITS)
            return
        do = self._debit if action == DIRECT_DEBITING else self._quote
        self._credit.resolve(asked, partial(self._spawn, asked, do))

    def _spawn(self, asked: Asked, do: Any, command: Authorize) -> None:
        self._credit.spawn(asked, do(asked, command))

    async def _debit(self, asked: Asked, command: Authorize) -> None:
        """Charge at once what was asked for, whole or not at all: granted and settled in one
        transaction."""
        request, seconds = asked.request, asked.request.asked_s
        command.whole = True
        settle = Settle(
            asked.peer.switch_id,
            request.session_id,
            DEBIT,
            request.meaning(),
            seconds,
            "direct_debiting",
            command.organisation_id,
        )
        answer = await self._asked(asked, (command, settle))
        if answer is not None:
            currency = answer.balance.currency if answer.balance is not None else ""
            cost = cost_information(answer.charge, currency)
            node = self._credit.node
            data = answers.debited(node, asked.header, request, seconds, cost)
            self._credit.answer(asked, data)

    async def _refund(self, asked: Asked) -> None:
        """Give back what an earlier debit charged: the one that CC-Correlation-Id names, or that of
        this session; clients have other uses for that AVP, too (RFC 8506, 8.1)."""
        request = asked.request
        for session in filter(None, dict.fromkeys((request.correlation, request.session_id))):
            refund = Refund(
                asked.peer.switch_id, session, REFUND, request.meaning(), request.asked_s
            )
            answer = told((await self._credit.engine.calls((refund,)))[0])
            if answer.code != "unknown_call":
                break
        if answer.code == "unknown_call":
            # RFC 8506 has no session to miss here: what there is to give back cannot be rated.
            self._credit.refuse(asked, "invalid_request", answer.detail, request.session)
        elif answer.code:
            self._credit.refuse(asked, answer.code, answer.detail)
        else:
            data = answers.closed(self._credit.node, asked.header, request)
            self._credit.answer(asked, data)

    async def _asked(self, asked: Asked, commands: Sequence[CallCommand]) -> Told | None:
        """What the last command came to; None where one was refused, which is answered."""
        found = [told(reply) for reply in await self._credit.engine.calls(commands)]
        for answer in found:
            if answer.code:
                self._credit.refuse(asked, answer.code, answer.detail)
                return None
        return found[-1]

    async def _quote(self, asked: Asked, command: Authorize) -> None:
        """Say whether the balance is enough, or what it would cost. Nothing is held."""
        request, node = asked.request, self._credit.node
        seconds = request.asked_s or self._credit.slice_s
        command.call_key = NO_CALL
        if request.action == PRICE_ENQUIRY and seconds > CALL_SECONDS_MAX:
            why = f"a call may last {CALL_SECONDS_MAX} s; the price of {seconds} s is asked for"
            self._credit.refuse(asked, "call_too_long", why)
            return
        found = await self._credit.engine.quote(command, seconds)
        if isinstance(found, Refusal):
            self._credit.refuse(asked, found.code, found.detail)
            return
        body = msgspec.json.decode(found.body)
        no_money = r.result_of(found.code) == r.CREDIT_LIMIT_REACHED
        if request.action == CHECK_BALANCE and (no_money or not found.code):
            enough = not found.code and body["lasts_seconds"] >= seconds
            result = ENOUGH_CREDIT if enough else NO_CREDIT
            said = write_unsigned(a.CHECK_BALANCE_RESULT, result)
        elif not found.code:
            said = cost_information(body["cost"]["charge"], body["price"]["currency"])
        elif no_money and command.refusal is None and command.payers.no_money is None:
            # The balance alone is against the call: no matter of its price (RFC 8506, 6.1).
            said = self._priced(command, seconds)
        else:
            self._credit.refuse(asked, found.code, body["detail"])
            return
        self._credit.answer(asked, answers.closed(node, asked.header, request, said))

    def _priced(self, command: Authorize, seconds: int) -> bytes:
        """What so many seconds cost where no minutes pay for them."""
        organisation = self._credit.engine.directory.directory.organisation(command.organisation_id)
        micros = price_micros(billed_seconds(seconds, command.rate), command.rate)
        currency = organisation.currency if organisation is not None else ""
        return cost_information(decimal_text(micros), currency)
