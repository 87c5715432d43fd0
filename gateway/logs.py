"""The log: structlog's events through stdlib logging, with nothing in it that is private.

An event has a dotted name and fields: ``smpp.bind_lost bind=mci reason=…``. Texts are
never given to the log, and mobiles are masked by whoever logs them; what stands here is
the second line of defence, for what slips through and for what other libraries say. It
works on the finished event, so that a traceback passes through it as well.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor
from twisted.logger import LogEvent, LogLevel, formatEvent, globalLogBeginner
from twisted.python.failure import Failure

from core.database import DatabaseUnavailable
from core.identifiers import masked_mobile

DROPPED = frozenset(
    {"text", "texts", "payload", "short_message", "message_payload", "password", "secret"}
)
"""Fields that are never written, whatever they hold."""
ADDRESSES = frozenset({"mobile", "source", "destination"})

_MOBILE = re.compile(r"(?<![0-9])(?:\+|00)?(?:98|0)?(9[0-9]{9})(?![0-9])")
_SHOWN_OF_ADDRESS = 4

_TWISTED_LEVELS = {
    # What Twisted calls info is the comings and goings of sockets.
    LogLevel.debug: logging.DEBUG,
    LogLevel.info: logging.DEBUG,
    LogLevel.warn: logging.WARNING,
    LogLevel.error: logging.ERROR,
    LogLevel.critical: logging.ERROR,
}


def configure(
    level: Literal["debug", "info", "warning", "error"] = "info",
    form: Literal["json", "console"] = "json",
    *,
    file: Path | None = None,
    stream: TextIO | None = None,
) -> None:
    """Send every event to ``file``, or to ``stream`` (default: standard error).

    The file may be moved away by a log rotation while it is written.
    """
    handler = WatchedFileHandler(file, encoding="utf-8") if file else logging.StreamHandler(stream)
    handler.setFormatter(_formatter(form, colors=not file and (stream or sys.stderr).isatty()))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(level.upper())
    logging.getLogger("alembic").setLevel(logging.WARNING)  # tells its plan at every look
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def of_command() -> None:
    """Have a command that is no daemon log to standard error, unless something else is set.

    What it prints may be JSON that a program reads.
    """
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            protect,
            structlog.dev.ConsoleRenderer(
                colors=False, exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        # The standard error of that moment: tests put another in its place.
        logger_factory=lambda *_names: structlog.PrintLogger(sys.stderr),
    )


def bridge_twisted() -> None:
    """Send Twisted's own log the same way; once for each process."""
    observer: Any = twisted_event  # zope.interface is beyond the type checker
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)


def twisted_event(event: LogEvent) -> None:
    """Log one of Twisted's events; a failure becomes one event with its traceback."""
    message = formatEvent(event)
    if message.startswith("Unhandled error in Deferred") and "log_failure" not in event:
        return  # only announces the event with the failure, which follows
    failure = event.get("log_failure")
    level = _TWISTED_LEVELS.get(event.get("log_level"), logging.INFO)
    structlog.get_logger("twisted").log(
        level,
        "twisted.failure" if failure else "twisted.event",
        said=message,
        by=event.get("log_namespace", ""),
        **({"exc_info": failure.value} if failure else {}),
    )


def protect(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Drop what must not be logged, and mask every mobile in what is left."""
    return {
        key: _address(value) if key in ADDRESSES else _masked(value)
        for key, value in event.items()
        if key not in DROPPED
    }


def _address(value: Any) -> Any:
    masked = _masked(value)
    if masked != value or not isinstance(value, str | int):
        return masked
    # Not a mobile as we know them: enough is left to tell lines apart.
    return f"{str(value)[:_SHOWN_OF_ADDRESS]}***"


def _masked(value: Any) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, Mapping):
        return protect(None, "", dict(value))
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(each) for each in value]
    text = value if isinstance(value, str) else str(value)
    masked = _MOBILE.sub(lambda found: masked_mobile(f"98{found[1]}"), text)
    return value if masked == text and isinstance(value, int) else masked


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _formatter(form: str, *, colors: bool) -> logging.Formatter:
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=colors, exception_formatter=structlog.dev.plain_traceback
        )
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            protect,
            renderer,
        ],
    )


def failed(failure: Failure, /, log: Any, event: str, **about: object) -> None:
    """The last word of what nobody waits for: the database is away, or a mistake is ours."""
    if failure.check(DatabaseUnavailable):
        log.error("database.unavailable", error=failure.getErrorMessage())
    else:
        log.critical(event, **about, failure=failure.getTraceback())
