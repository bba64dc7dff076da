"""The log of a serving process: readable lines in a terminal, one JSON object a line otherwise.

The libraries' own log lines go the same way. What looks like a secret is blacked out.
"""

import logging
import re
import sys
from typing import Any

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

SECRETS = re.compile(
    r"(\btt_[\w-]{8})[\w-]{20,}|((?:postgresql|postgres)://[^:@/\s]*:)[^@\s]*(?=@)"
)
SECRET_NAMES = re.compile(
    r"(?i)(.*_)?(authorization|password|secret(_key)?|switch_key|api_key|cookie)"
)
BLACK = "***"
LEVELS = {
    **dict.fromkeys(("uvicorn", "django", "httpx", "httpcore", "asyncio"), logging.WARNING),
    # Each request from anybody that finds nothing, or asks for another host, would be a line:
    # it is answered 404 or 400, and that is all.
    "django.request": logging.ERROR,
    "django.security.DisallowedHost": logging.CRITICAL,
}
STRANGERS = ("Unsupported upgrade request", "No supported WebSocket library")
"""What uvicorn says of each request that wants a WebSocket: there are none here."""


def set_up_log() -> None:
    """Send structlog's lines and those of `logging` to stderr."""
    readable = sys.stderr.isatty()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *for_people(),
            ]
            if readable
            else [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                without_secrets,
                structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name, level in LEVELS.items():
        logging.getLogger(name).setLevel(level)
    logging.getLogger("uvicorn.error").addFilter(worth_a_line)
    logging.captureWarnings(True)


def worth_a_line(record: logging.LogRecord) -> bool:
    """Whether a line of uvicorn's says anything to an operator."""
    return not str(record.msg).startswith(STRANGERS)


def for_people() -> list[Processor]:
    """The last steps of a line in a terminal."""
    return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]


def without_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Black out API keys, passwords in addresses, and values with the name of a secret."""
    return {name: _blacked(name, value) for name, value in event.items()}


def _blacked(name: str, value: Any) -> Any:
    if SECRET_NAMES.fullmatch(name):
        return BLACK
    if isinstance(value, str):
        return SECRETS.sub(lambda found: f"{found[1] or found[2]}{BLACK}", value)
    return value
