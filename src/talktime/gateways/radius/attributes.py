"""The attributes that are read or sent, by their numbers (RFC 2865, 2866, 2869, 3162, 5176), and
the numbers that stand in some of them. Vendors' attributes are passed over."""

from enum import IntEnum


class Attribute(IntEnum):
    """Types of attributes."""

    USER_NAME = 1
    NAS_IP_ADDRESS = 4
    REPLY_MESSAGE = 18
    STATE = 24
    CLASS = 25
    SESSION_TIMEOUT = 27
    TERMINATION_ACTION = 29
    CALLED_STATION_ID = 30
    CALLING_STATION_ID = 31
    NAS_IDENTIFIER = 32
    PROXY_STATE = 33
    ACCT_STATUS_TYPE = 40
    ACCT_DELAY_TIME = 41
    ACCT_SESSION_ID = 44
    ACCT_SESSION_TIME = 46
    ACCT_TERMINATE_CAUSE = 49
    ACCT_MULTI_SESSION_ID = 50
    EVENT_TIMESTAMP = 55
    MESSAGE_AUTHENTICATOR = 80
    ACCT_INTERIM_INTERVAL = 85
    NAS_IPV6_ADDRESS = 95
    ERROR_CAUSE = 101


class Status(IntEnum):
    """What an Accounting-Request is about (Acct-Status-Type)."""

    START = 1
    STOP = 2
    INTERIM_UPDATE = 3
    ACCOUNTING_ON = 7
    ACCOUNTING_OFF = 8


class TerminationAction(IntEnum):
    """What a client does at the end of its Session-Timeout: end the call, or ask again."""

    DEFAULT = 0
    RADIUS_REQUEST = 1


SESSION_CONTEXT_NOT_FOUND = 503
"""The Error-Cause of a client that has no such call (any more)."""

CAUSES = {
    1: "user_request",
    2: "lost_carrier",
    3: "lost_service",
    4: "idle_timeout",
    5: "session_timeout",
    6: "admin_reset",
    7: "admin_reboot",
    8: "port_error",
    9: "nas_error",
    10: "nas_request",
    11: "nas_reboot",
    12: "port_unneeded",
    13: "port_preempted",
    14: "port_suspended",
    15: "service_unavailable",
    16: "callback",
    17: "user_error",
    18: "host_request",
}
"""Acct-Terminate-Cause in words, as usage records keep it."""


def cause_of(number: int | None) -> str:
    """Why a call ended, in one word.

    >>> cause_of(1), cause_of(99), cause_of(None)
    ('user_request', 'cause_99', 'normal')
    """
    if number is None:
        return "normal"
    return CAUSES.get(number, f"cause_{number}")
