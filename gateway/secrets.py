"""Secrets of the settings file: written there, or fetched from the environment or a file.

``password = "…"``, ``password = { env = "NAME" }`` and ``password = { file = "path" }``
mean the same. The file's content is taken without blanks at its ends, since editors add a
newline; relative paths start in ``daemon.data``.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.text import nearest_hint
from gateway.configuration import ConfigError

_PLACES = (
    ("database", "url"),
    ("daemon", "key"),
    ("smsc", "password"),
    ("binds", "password"),
    ("payments", "merchant_id"),
    ("ussd_doors", "secret"),
    ("panels", "key"),
    ("panels", "password"),
    ("panels", "push_secret"),
    ("alerts.email", "password"),
    ("alerts.webhook", "secret"),
    ("monitoring", "token"),
)
_SOURCES = ("env", "file")


def fetch_secrets(file: Path, tables: dict[str, Any], data: Path) -> None:
    """Put the secrets that ``tables`` point to in their places.

    Raises ``ConfigError`` for one that is not there.
    """
    for key, table, name in _holders(tables):
        if isinstance(table[name], dict):
            table[name] = _fetch(file, key, table[name], data)


def create_key(tables: dict[str, Any], data: Path) -> Path | None:
    """Make the file that ``daemon.key`` names, where it names one that is not there yet.

    Returns the new file, or None when there was nothing to make.
    """
    daemon = tables.get("daemon")
    said = daemon.get("key") if isinstance(daemon, dict) else None
    if not (isinstance(said, dict) and isinstance(said.get("file"), str)):
        return None
    path: Path = data / said["file"]
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Exclusive: a key that is there, even an unreadable one, is never written over.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return None
    with os.fdopen(descriptor, "w") as stream:
        stream.write(secrets.token_hex(32) + "\n")
    return path


def _holders(tables: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    for section, name in _PLACES:
        held: Any = tables
        for key in section.split("."):
            held = held.get(key) if isinstance(held, dict) else None
        if isinstance(held, dict) and name in held:
            yield f"{section}.{name}", held, name
        elif isinstance(held, list):
            for place, table in enumerate(held, 1):
                if isinstance(table, dict) and name in table:
                    yield f"{section}[{place}].{name}", table, name


def _fetch(file: Path, key: str, source: dict[str, Any], data: Path) -> str:
    for name in source:
        if name not in _SOURCES:
            hint = nearest_hint(name, _SOURCES)
            raise ConfigError(file, f"{key}.{name}", "unknown key", hint)
    if len(source) != 1 or not isinstance(next(iter(source.values())), str):
        raise ConfigError(file, key, 'write { env = "NAME" } or { file = "path" }')
    if "env" in source:
        return _from_environment(file, key, source["env"])
    return _from_file(file, key, data / source["file"])


def _from_environment(file: Path, key: str, name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise ConfigError(file, key, f"the environment variable {name} is not set")
    return value


def _from_file(file: Path, key: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        hint = "`peyk init` makes it" if key == "daemon.key" else ""
        raise ConfigError(file, key, f"there is no file {path}", hint) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise ConfigError(file, key, f"{path} cannot be read: {reason}") from None
