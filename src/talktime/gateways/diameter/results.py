"""Result-Codes, and which of them says what a refusal says.

Sources: RFC 6733 (7.1), RFC 8506 (9).
"""

SUCCESS = 2001

# Protocol errors (the E flag is set): whoever is asked hop by hop may try another way.
COMMAND_UNSUPPORTED = 3001
UNABLE_TO_DELIVER = 3002
REALM_NOT_SERVED = 3003
TOO_BUSY = 3004
APPLICATION_UNSUPPORTED = 3007
INVALID_HDR_BITS = 3008
UNKNOWN_PEER = 3010

# Transient failures.
ELECTION_LOST = 4003
END_USER_SERVICE_DENIED = 4010
CREDIT_LIMIT_REACHED = 4012

# Permanent failures.
AVP_UNSUPPORTED = 5001
UNKNOWN_SESSION_ID = 5002
AUTHORIZATION_REJECTED = 5003
INVALID_AVP_VALUE = 5004
MISSING_AVP = 5005
AVP_OCCURS_TOO_MANY_TIMES = 5009
NO_COMMON_APPLICATION = 5010
UNSUPPORTED_VERSION = 5011
UNABLE_TO_COMPLY = 5012
INVALID_AVP_LENGTH = 5014
INVALID_MESSAGE_LENGTH = 5015
NO_COMMON_SECURITY = 5017
USER_UNKNOWN = 5030
RATING_FAILED = 5031

NAMES = {
    SUCCESS: "DIAMETER_SUCCESS",
    COMMAND_UNSUPPORTED: "DIAMETER_COMMAND_UNSUPPORTED",
    UNABLE_TO_DELIVER: "DIAMETER_UNABLE_TO_DELIVER",
    REALM_NOT_SERVED: "DIAMETER_REALM_NOT_SERVED",
    TOO_BUSY: "DIAMETER_TOO_BUSY",
    APPLICATION_UNSUPPORTED: "DIAMETER_APPLICATION_UNSUPPORTED",
    INVALID_HDR_BITS: "DIAMETER_INVALID_HDR_BITS",
    UNKNOWN_PEER: "DIAMETER_UNKNOWN_PEER",
    ELECTION_LOST: "DIAMETER_ELECTION_LOST",
    END_USER_SERVICE_DENIED: "DIAMETER_END_USER_SERVICE_DENIED",
    CREDIT_LIMIT_REACHED: "DIAMETER_CREDIT_LIMIT_REACHED",
    AVP_UNSUPPORTED: "DIAMETER_AVP_UNSUPPORTED",
    UNKNOWN_SESSION_ID: "DIAMETER_UNKNOWN_SESSION_ID",
    AUTHORIZATION_REJECTED: "DIAMETER_AUTHORIZATION_REJECTED",
    INVALID_AVP_VALUE: "DIAMETER_INVALID_AVP_VALUE",
    MISSING_AVP: "DIAMETER_MISSING_AVP",
    AVP_OCCURS_TOO_MANY_TIMES: "DIAMETER_AVP_OCCURS_TOO_MANY_TIMES",
    NO_COMMON_APPLICATION: "DIAMETER_NO_COMMON_APPLICATION",
    UNSUPPORTED_VERSION: "DIAMETER_UNSUPPORTED_VERSION",
    UNABLE_TO_COMPLY: "DIAMETER_UNABLE_TO_COMPLY",
    INVALID_AVP_LENGTH: "DIAMETER_INVALID_AVP_LENGTH",
    INVALID_MESSAGE_LENGTH: "DIAMETER_INVALID_MESSAGE_LENGTH",
    NO_COMMON_SECURITY: "DIAMETER_NO_COMMON_SECURITY",
    USER_UNKNOWN: "DIAMETER_USER_UNKNOWN",
    RATING_FAILED: "DIAMETER_RATING_FAILED",
}

BY_CODE = {
    "unauthorized": AUTHORIZATION_REJECTED,
    "scope_missing": AUTHORIZATION_REJECTED,
    "invalid_request": RATING_FAILED,
    "time_out_of_range": INVALID_AVP_VALUE,
    "sequence_reused": UNABLE_TO_COMPLY,
    "sequence_skipped": UNABLE_TO_COMPLY,
    "call_settled": UNKNOWN_SESSION_ID,
    "unknown_call": UNKNOWN_SESSION_ID,
    "call_not_granted": UNKNOWN_SESSION_ID,
    "call_already_authorized": UNABLE_TO_COMPLY,
    "call_id_taken": UNABLE_TO_COMPLY,
    "used_seconds_out_of_range": INVALID_AVP_VALUE,
    "unknown_caller": USER_UNKNOWN,
    "unknown_number": USER_UNKNOWN,
    "unknown_user": USER_UNKNOWN,
    "unknown_organisation": USER_UNKNOWN,
    "invalid_number": RATING_FAILED,
    "no_rate": RATING_FAILED,
    "insufficient_credit": CREDIT_LIMIT_REACHED,
    "no_tenant_credit_capability": CREDIT_LIMIT_REACHED,
    "post_usage_off": CREDIT_LIMIT_REACHED,
    "statement_overdue": CREDIT_LIMIT_REACHED,
    "post_usage_cap_reached": CREDIT_LIMIT_REACHED,
    "spend_limit_reached": CREDIT_LIMIT_REACHED,
    "queue_full": TOO_BUSY,
    "unavailable": UNABLE_TO_DELIVER,
}
"""What refusals of a call become. Any other of them denies the service: 4010."""

OF_A_SERVICE = frozenset((END_USER_SERVICE_DENIED, CREDIT_LIMIT_REACHED, RATING_FAILED))
"""What may also be said within Multiple-Services-Credit-Control (RFC 8506, 8.16)."""


def result_of(code: str) -> int:
    """The Result-Code that says what a refusal of this code says.

    >>> result_of("insufficient_credit"), result_of("outbound_policy"), result_of("")
    (4012, 4010, 2001)
    """
    return BY_CODE.get(code, END_USER_SERVICE_DENIED) if code else SUCCESS


def is_protocol_error(result: int) -> bool:
    """Whether the answer has the E flag, and none of the command's own AVPs (RFC 6733, 7.2).

    >>> is_protocol_error(3004), is_protocol_error(4012)
    (True, False)
    """
    return 3000 <= result < 4000
