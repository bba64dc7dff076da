"""Every expected "no", as a value: a stable code, its HTTP status, the reason in words, the
remedy, and who can apply it.

The order of the entries in REFUSALS is the order of precedence: where several would fit, the first
is the answer. docs/reference/refusals.md is generated from this table.
"""

from typing import NamedTuple

from talktime.core.refusal_money import MONEY
from talktime.core.refusal_people import ADMIN, BILLING, DEVELOPER, OPERATOR, PEOPLE, SWITCH
from talktime.core.refusal_people import RefusalKind as RefusalKind


class Refusal(NamedTuple):
    """One refusal: its code (a key of REFUSALS) and what was wrong this time.

    >>> Refusal("unknown_caller", "no user or number is known as +15550100").kind.status
    404
    """

    code: str
    detail: str

    @property
    def kind(self) -> RefusalKind:
        """What is the same for every refusal of this code."""
        return REFUSALS[self.code]


REFUSALS: dict[str, RefusalKind] = {
    "unauthorized": RefusalKind(
        401,
        "The request carries no valid API key",
        "Send 'Authorization: Bearer KEY' with a key that is neither revoked nor expired.",
        OPERATOR,
    ),
    "scope_missing": RefusalKind(
        403,
        "The API key may not do this",
        "Make a key with the scope that the detail names.",
        OPERATOR,
    ),
    "not_found": RefusalKind(
        404, "There is nothing at this address", "See /v1/openapi.json for the addresses.", SWITCH
    ),
    "method_not_allowed": RefusalKind(
        405, "The address does not take that method", "See /v1/openapi.json for methods.", SWITCH
    ),
    "body_too_large": RefusalKind(
        413, "The body is too large", "Send a smaller body, or split the batch.", SWITCH
    ),
    "request_timeout": RefusalKind(
        408,
        "The request did not arrive whole in time",
        "Send the same request again, whole: nothing was done.",
        SWITCH,
    ),
    "invalid_request": RefusalKind(
        422,
        "The request is malformed",
        "Correct what the detail names and send it with the same sequence number.",
        SWITCH,
    ),
    "invalid_value": RefusalKind(
        422, "A value cannot be taken", "Correct what the detail names.", OPERATOR
    ),
    "time_out_of_range": RefusalKind(
        422,
        "The time is too far from the service's clock, or from the call's beginning",
        "Correct the switch's clock, or leave the time out: the service's clock is used then.",
        SWITCH,
    ),
    "sequence_reused": RefusalKind(
        409,
        "This sequence number was used for another request",
        "Send a new request with the next sequence number; repeat a request only unchanged.",
        SWITCH,
    ),
    "call_settled": RefusalKind(
        410, "The call has been settled", "Use a new call_id for a new call.", SWITCH
    ),
    "sequence_skipped": RefusalKind(
        409,
        "A sequence number is missing",
        "Send the sequence number that the detail names: numbers count up from 0 without gaps.",
        SWITCH,
    ),
    "unknown_call": RefusalKind(404, "The call is not known", "Authorize the call first.", SWITCH),
    "call_not_granted": RefusalKind(
        409,
        "The call was refused, so there is nothing to extend",
        "Authorize the call again.",
        SWITCH,
    ),
    "call_already_authorized": RefusalKind(
        409, "The call is already authorized", "Ask for more time with extend.", SWITCH
    ),
    "call_id_taken": RefusalKind(
        409,
        "The call_id belongs to a call of another organisation",
        "Use a new call_id for a new call.",
        SWITCH,
    ),
    "used_seconds_out_of_range": RefusalKind(
        422,
        "More seconds are reported than can have been talked",
        "Report whole seconds since the answer. A call that did go on without a grant is settled "
        "with the most seconds that the detail names.",
        SWITCH,
    ),
    "unknown_caller": RefusalKind(
        404,
        "The caller is not known",
        "Add the user or the number, or correct 'from', 'user' or 'organizer'.",
        ADMIN,
    ),
    "organisation_inactive": RefusalKind(
        403, "The organisation is switched off", "Ask the operator to switch it on again.", OPERATOR
    ),
    "user_inactive": RefusalKind(
        403, "The user is switched off", "Switch the user on again.", ADMIN
    ),
    "invalid_number": RefusalKind(
        422,
        "The number is not one that can be called",
        "Send the number in international form (E.164), for example +4930123456.",
        "caller",
    ),
    "number_not_supported": RefusalKind(
        403,
        "Numbers of this kind cannot be called",
        "Call another number: premium and shared-cost numbers are supported in few countries.",
        "caller",
    ),
    "outbound_policy": RefusalKind(
        403,
        "The dial-out policy does not allow this destination",
        "Give the user (for meetings, the organizer) a policy that allows the destination.",
        ADMIN,
    ),
    "country_blocked": RefusalKind(
        403,
        "The organisation does not allow calls to this country",
        "Change the organisation's lists of allowed and blocked countries.",
        ADMIN,
    ),
    "no_base_licence": RefusalKind(
        403,
        "A licence that such calls need is missing",
        "Assign the licence that the detail names.",
        ADMIN,
    ),
    "toll_free_not_allowed": RefusalKind(
        403,
        "The organizer's meetings cannot be joined on toll-free numbers",
        "Dial in on a toll number, or allow toll-free dial-in for the organizer.",
        ADMIN,
    ),
    "no_user_credit_capability": RefusalKind(
        403,
        "The user has no Communications Credits licence",
        "Assign the user a Communications Credits licence.",
        ADMIN,
    ),
    "no_tenant_credit_capability": RefusalKind(
        402,
        "The organisation has no Communications Credits",
        "Set up Communications Credits: buy the first funds. Where they are not offered, calls "
        "end with the included minutes.",
        BILLING,
    ),
    "no_rate": RefusalKind(
        403,
        "There is no published rate for this destination",
        "Ask the operator to add the destination to the rate card.",
        OPERATOR,
    ),
    "call_too_long": RefusalKind(
        403,
        "The call has reached its longest length",
        "End the call, and set up a new one.",
        "caller",
    ),
    "nothing_to_refund": RefusalKind(
        409, "There is nothing to give back", "Refund a debit, by its session, once.", SWITCH
    ),
    "insufficient_credit": RefusalKind(
        402,
        "The organisation's credit is used up",
        "Add funds, or turn on auto-recharge.",
        BILLING,
    ),
    "post_usage_off": RefusalKind(
        402,
        "The credit is used up, and pay-as-you-go is off",
        "Turn pay-as-you-go on, or wait for next month's included minutes.",
        BILLING,
    ),
    "statement_overdue": RefusalKind(
        402,
        "Calls are not paid after use while a statement is overdue",
        "Pay the statement: the calls are possible again as soon as that is recorded.",
        BILLING,
    ),
    "post_usage_cap_reached": RefusalKind(
        402,
        "The month's limit for calls paid after use is reached",
        "Ask the operator to raise the organisation's monthly limit, or wait for next month.",
        OPERATOR,
    ),
    "spend_limit_reached": RefusalKind(
        403,
        "The user's spend limit of this month is reached",
        "Raise the user's spend limit, or wait for next month.",
        ADMIN,
    ),
    **MONEY,
    "approval_needed": RefusalKind(
        403,
        "Somebody else must approve this",
        "Ask another operator to approve the request that the detail names.",
        OPERATOR,
    ),
    "idempotency_key_missing": RefusalKind(
        400,
        "What moves money needs an idempotency key",
        "Send the header Idempotency-Key with a text of your own, new for each new request.",
        DEVELOPER,
    ),
    "idempotency_key_reused": RefusalKind(
        409,
        "This idempotency key was used for another request",
        "Use a new key for a new request; repeat a request only unchanged.",
        OPERATOR,
    ),
    "unknown_organisation": RefusalKind(
        404,
        "The organisation is not known",
        "List the organisations and use one of their names.",
        OPERATOR,
    ),
    "unknown_user": RefusalKind(
        404, "The user is not known", "List the organisation's users and use one's name.", ADMIN
    ),
    "unknown_group": RefusalKind(
        404,
        "The group is not known",
        "List the organisation's groups and use one's name, or make this one first.",
        ADMIN,
    ),
    "unknown_number": RefusalKind(
        404, "The number is not known", "List the numbers, or assign this one first.", OPERATOR
    ),
    "unknown_switch": RefusalKind(
        404, "The switch is not known", "List the switches and use one of their names.", OPERATOR
    ),
    **PEOPLE,
    "unknown_key": RefusalKind(
        404, "The API key is not known", "List the keys and use one of their ids.", OPERATOR
    ),
    "unknown_peer": RefusalKind(
        404, "The peer is not known", "List the peers and use one of their ids.", OPERATOR
    ),
    "unknown_document": RefusalKind(
        404,
        "The document is not known",
        "List the organisation's invoices and use one's number.",
        BILLING,
    ),
    "unknown_recipient": RefusalKind(
        404, "The recipient is not known", "List the recipients and use one's address.", ADMIN
    ),
    "unknown_endpoint": RefusalKind(
        404,
        "The webhook endpoint is not known",
        "List the organisation's webhook endpoints and use one of their ids.",
        ADMIN,
    ),
    "unknown_delivery": RefusalKind(
        404,
        "The delivery is not known",
        "List the organisation's notices and use the id of one of their deliveries.",
        ADMIN,
    ),
    "not_in_sandbox": RefusalKind(
        404,
        "The sandbox has no such card, page, charge or dispute",
        "Load the sandbox's page again, and choose from what it shows.",
        OPERATOR,
    ),
    "sandbox_not_possible": RefusalKind(
        409,
        "That cannot be done to it in the sandbox now",
        "Load the sandbox's page again, and look at what became of it.",
        OPERATOR,
    ),
    "provider_in_use": RefusalKind(
        409, "The payment provider is in use", "Let new cards go to another one first.", OPERATOR
    ),
    "unknown_statement": RefusalKind(
        404,
        "There is no statement of this month",
        "List the organisation's statements and use one's month.",
        BILLING,
    ),
    "month_open": RefusalKind(
        409,
        "The month cannot be closed yet",
        "Close it again later: the job does so by itself.",
        OPERATOR,
    ),
    "still_owed": RefusalKind(
        409,
        "Something is still to be paid after use",
        "Wait until the month is closed and have its statement paid; then change the model.",
        BILLING,
    ),
    "already_exists": RefusalKind(
        409, "This already exists", "Use another name or number, or change what exists.", OPERATOR
    ),
    "licence_not_possible": RefusalKind(
        409,
        "The user cannot have these licences",
        "Give or take away what the detail names, all in one change.",
        ADMIN,
    ),
    "users_not_possible": RefusalKind(
        422,
        "Some of the users cannot be written, so none were",
        "Correct each user that `errors` names, and send all of them again.",
        ADMIN,
    ),
    "never_funded": RefusalKind(
        409,
        "A toll-free number needs Communications Credits",
        "Fund the organisation first: callers of the number are paid for by its credits.",
        BILLING,
    ),
    "number_reserved": RefusalKind(
        409,
        "The number is kept for another organisation",
        "Take another number, or try again when the reservation has ended.",
        ADMIN,
    ),
    "quota_reached": RefusalKind(
        409,
        "The organisation has all the numbers that its licences allow",
        "Give more licences or release a number; an operator can go over the quota with a reason.",
        ADMIN,
    ),
    "queue_full": RefusalKind(
        429,
        "Too many requests are waiting",
        "Send the request again after the seconds in Retry-After.",
        SWITCH,
    ),
    "range_too_long": RefusalKind(
        400, "That is too much time at once", "Ask about less time at once.", DEVELOPER
    ),
    "too_many_requests": RefusalKind(
        429, "The API key asks too often", "Ask again after the seconds in Retry-After.", DEVELOPER
    ),
    "internal_error": RefusalKind(
        500, "The service failed at this", "Say when it was: the service's log says why.", OPERATOR
    ),
    "unavailable": RefusalKind(
        503,
        "The service cannot decide at the moment",
        "Send the same request again after the seconds in Retry-After: it is charged once.",
        OPERATOR,
    ),
}
