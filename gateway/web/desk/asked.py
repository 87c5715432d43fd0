"""What a request asks with: its address's query, and the form in its body."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any, Final
from urllib.parse import parse_qs

from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from gateway.web.desk.forms import Form, Upload
from gateway.web.desk.refusals import Refusal

_MOST_FIELDS: Final = 2000
_LONGEST_NAME: Final = 200
Say = Callable[..., str]


def query_of(request: Any, say: Say) -> Form:
    """What stands behind the question mark. Raises ``Refusal``."""
    _, _, asked = request.uri.partition(b"?")
    try:
        given = parse_qs(asked.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Refusal(400) from None
    return Form(given, say)


def form_of(request: Any, say: Say) -> Form:
    """The form in the body; an empty one for what is no POST. Raises ``Refusal``."""
    if request.method != b"POST":
        return Form({}, say)
    said: bytes = request.getHeader(b"content-type") or b""
    kind, options = parse_options_header(said.decode("latin-1"))
    content = request.content
    content.seek(0, 2)
    size = content.tell()
    content.seek(0)
    # All of it has come, within what its route takes: no files on the disk.
    parser = FormDataParser(
        lambda *_about, **_more: BytesIO(),
        max_form_parts=_MOST_FIELDS,
        max_form_memory_size=None,
    )
    try:
        _, fields, files = parser.parse(content, kind, size, options)
    except (HTTPException, ValueError):
        raise Refusal(400) from None
    uploads = {
        name: Upload((file.filename or "")[:_LONGEST_NAME], file.read())
        for name, file in files.items()
        if file.filename
    }
    return Form(fields.to_dict(flat=False), say, uploads)
