"""A copy of a SQLite database while it is in use: SQLite's own online backup.

The whole copy is of one moment. It holds up nobody who reads or writes; only the write-ahead
log grows for as long as it takes. PostgreSQL has ``pg_dump`` for it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from core.database import BUSY_MS, Database

PAGES: Final = 2_000
"""Copied at once: some eight megabytes, and then it is said how far it is."""
_PRIVATE: Final = 0o600


class BackupError(Exception):
    """No copy could be made, in words for who asked for it."""


def back_up(
    database: Database, file: Path, on_pages: Callable[[int, int], object] = lambda _n, _of: None
) -> int:
    """Copy a SQLite database to ``file``; returns its size in bytes.

    ``on_pages(copied, all)`` is told how far it is. The file appears when it is complete and
    was looked over; until then there is ``FILE.part``, which a copy that failed takes away.
    Raises ``BackupError``.
    """
    source = Path(database.url.database or "")
    if file.exists():
        raise BackupError(f"{file} is there already; name another file")
    part = file.with_name(f"{file.name}.part")
    try:
        # Made beforehand, so that nobody else of the machine ever can read it.
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE))
    except FileExistsError:
        raise BackupError(f"{part} is there: is another backup running? Else remove it") from None
    except OSError as error:
        raise BackupError(f"{part} cannot be written: {error.strerror}") from None
    try:
        _copy(source, part, on_pages)
        _to_the_disk(part)
        part.rename(file)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"{source} could not be copied to {file}: {error}") from error
    finally:
        part.unlink(missing_ok=True)
    _to_the_disk(file.parent)
    return file.stat().st_size


def _copy(source: Path, part: Path, on_pages: Callable[[int, int], object]) -> None:
    def progress(_status: int, left: int, of: int) -> None:
        on_pages(of - left, of)

    with (
        closing(sqlite3.connect(source, timeout=BUSY_MS / 1000, isolation_level=None)) as there,
        closing(sqlite3.connect(part, isolation_level=None)) as here,
    ):
        # A reader's transaction around it all: without one every commit of the daemon would
        # have the copy begin anew, and under load it would never end.
        there.execute("BEGIN")
        there.execute("SELECT count(*) FROM sqlite_master").fetchone()
        there.backup(here, pages=PAGES, progress=progress, sleep=0)
        there.execute("ROLLBACK")
        # One file that is complete by itself: the daemon goes back to write-ahead logging.
        here.execute("PRAGMA journal_mode = DELETE")
        said = here.execute("PRAGMA quick_check(1)").fetchone()[0]
    if said != "ok":
        raise BackupError(f"the copy of {source} is damaged, and so may be the original: {said}")


def _to_the_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
