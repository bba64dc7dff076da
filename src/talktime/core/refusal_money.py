"""The kinds of refusals that are about purchases, payments and lots (core/refusal.py)."""

from talktime.core.refusal_people import BILLING, OPERATOR, RefusalKind

MONEY: dict[str, RefusalKind] = {
    "credits_not_offered": RefusalKind(
        409,
        "The organisation cannot buy Communications Credits",
        "Do what the detail says; where it says nothing to do, ask the operator.",
        BILLING,
    ),
    "amount_out_of_bounds": RefusalKind(
        422,
        "The amount is less, or more, than one purchase may be",
        "Choose an amount within the bounds that the detail names.",
        BILLING,
    ),
    "unknown_payment_method": RefusalKind(
        404,
        "The payment method is not known",
        "List the organisation's payment methods and use one's id, or add one first.",
        BILLING,
    ),
    "unknown_payment": RefusalKind(
        404, "The payment is not known", "List the payments and use one's id.", BILLING
    ),
    "payment_not_possible": RefusalKind(
        409,
        "The payment is not in a state in which this can be done",
        "Look at the payment: the detail says how it stands.",
        BILLING,
    ),
    "unknown_lot": RefusalKind(
        404, "The lot is not known", "List the lots and use one's id.", BILLING
    ),
    "lot_spent": RefusalKind(
        409,
        "Less of the lot is free than is to be taken back",
        "Take back what is free, or say that the rest becomes a debt.",
        OPERATOR,
    ),
    "nothing_to_take_back": RefusalKind(
        409,
        "Nothing of the lot can be taken back any more",
        "Leave the lot as it is; look at its page for what became of it.",
        OPERATOR,
    ),
}
