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
QUIET = ("uvicorn", "django", "httpx", "httpcore", "asyncio")


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
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)


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
