"""The papers that a request needs, as files (seed 000, annex 1: دریافت فایلهای مدارک).

A file is what it begins with, whatever it is called: a PDF document or a picture. Nothing is
ever opened here: it is kept, and handed out to be kept again.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, func, insert, select

from core.requests.counter import Counter, RequestError, hold
from core.requests.states import EDITABLE, RequestState
from core.tables import request_documents, requests
from core.text import harmless, storable

MOST_BYTES: Final = 2 * 1024 * 1024
"""Of one file: a page that a telephone photographed, made a little smaller."""
MOST_FILES: Final = 10
"""Of one request."""
_LONGEST_NAME: Final = 100
_BEGINNINGS: Final = (
    (b"%PDF-", "application/pdf"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
)


class Document(NamedTuple):
    """One file, without what is in it."""

    id: int
    request_id: int
    at: int
    """UTC milliseconds."""
    by: str
    name: str
    kind: str
    """Its media type."""
    size: int
    """Bytes."""


_COLUMNS = tuple(request_documents.c[name] for name in Document._fields)


def add_document(
    connection: Connection, counter: Counter, tracking: str, name: str, content: bytes
) -> Document:
    """Keep a file with a request that may still be edited; the same one is kept once.

    Raises ``RequestError``.
    """
    if len(content) > MOST_BYTES:
        words = f"{len(content):,} bytes; {MOST_BYTES:,} are taken"
        raise RequestError(words, "file_large", "file")
    kind = kind_of(content)
    if not kind:
        raise RequestError("only PDF, JPEG and PNG files are taken", "file_kind", "file")
    request_id = _editable(connection, counter.utility, tracking)
    digest = sha256(content).hexdigest()
    own = request_documents.c.request_id == request_id
    known = connection.execute(
        select(*_COLUMNS).where(own, request_documents.c.digest == digest)
    ).one_or_none()
    if known is not None:
        return Document._make(known)
    count = connection.execute(select(func.count()).select_from(request_documents).where(own))
    if count.scalar_one() >= MOST_FILES:
        raise RequestError(f"a request has at most {MOST_FILES} files", "files", "file")
    made = connection.execute(
        insert(request_documents)
        .values(
            request_id=request_id,
            at=counter.now,
            by=counter.by,
            name=file_name(name),
            kind=kind,
            size=len(content),
            digest=digest,
            content=content,
        )
        .returning(*_COLUMNS)
    ).one()
    return Document._make(made)


def remove_document(
    connection: Connection, counter: Counter, tracking: str, document_id: int
) -> None:
    """Take a file off a request that may still be edited. Raises ``RequestError``."""
    request_id = _editable(connection, counter.utility, tracking)
    gone = connection.execute(
        delete(request_documents).where(
            request_documents.c.id == document_id, request_documents.c.request_id == request_id
        )
    )
    if not gone.rowcount:
        raise RequestError(f"{tracking} has no such file", "no_file")


def list_documents(connection: Connection, request_id: int) -> list[Document]:
    """The files of a request, the oldest first."""
    rows = connection.execute(
        select(*_COLUMNS)
        .where(request_documents.c.request_id == request_id)
        .order_by(request_documents.c.id)
    )
    return [Document._make(row) for row in rows]


def read_document(
    connection: Connection, request_id: int, document_id: int
) -> tuple[Document, bytes] | None:
    """A file of a request and what is in it."""
    row = connection.execute(
        select(*_COLUMNS, request_documents.c.content).where(
            request_documents.c.id == document_id, request_documents.c.request_id == request_id
        )
    ).one_or_none()
    return None if row is None else (Document._make(row[:-1]), bytes(row[-1]))


def kind_of(content: bytes) -> str:
    """The media type of a file by its beginning; ``""`` for what is not taken."""
    return next((kind for begins, kind in _BEGINNINGS if content.startswith(begins)), "")


def file_name(said: str) -> str:
    """What a file is called, without folders and signs that a name cannot have."""
    last = storable(said).replace("\\", "/").rpartition("/")[2]
    clean = " ".join(harmless(last).translate(_NO_MARKS).split())
    return clean[-_LONGEST_NAME:] or "file"


_NO_MARKS: Final = dict.fromkeys(map(ord, '<>:"|?*'))


def _editable(connection: Connection, utility: str, tracking: str) -> int:
    wanted = select(requests.c.id, requests.c.tracking, requests.c.state)
    row = hold(connection, utility, tracking, wanted)
    if RequestState(row.state) not in EDITABLE:
        words = f"{row.tracking} is {row.state}: it can be edited no more"
        raise RequestError(words, "not_editable")
    return int(row.id)
