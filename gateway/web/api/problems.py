"""What is answered when a request cannot be done: problem details (RFC 9457), in two languages.

A handler raises ``Problem``; whatever is wrong with a field is named by a pointer (RFC 6901)
into the body, or by the name of the parameter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

TYPE: Final = "application/problem+json"
REFERENCE: Final = "/api/v1/"


class Words(NamedTuple):
    """A text in both languages."""

    en: str
    fa: str


class Kind(NamedTuple):
    """A kind of problem, as the reference lists it."""

    status: int
    title: Words


KINDS: Final[Mapping[str, Kind]] = {
    "malformed": Kind(400, Words("The request cannot be read", "درخواست خوانا نیست")),
    "unauthorised": Kind(401, Words("No valid token", "کلید دسترسی معتبر نیست")),
    "forbidden": Kind(403, Words("The token may not do that", "این کلید اجازهٔ این کار را ندارد")),
    "not-found": Kind(404, Words("There is no such thing", "چنین چیزی وجود ندارد")),
    "method": Kind(405, Words("Not by this method", "این روش پذیرفته نیست")),
    "conflict": Kind(409, Words("That cannot be done now", "اکنون شدنی نیست")),
    "in-progress": Kind(
        409, Words("The same request is being done", "همین درخواست در حال انجام است")
    ),
    "too-large": Kind(413, Words("Too much was sent", "درخواست بیش از اندازه بزرگ است")),
    "media-type": Kind(415, Words("The body must be JSON", "بدنهٔ درخواست باید JSON باشد")),
    "invalid": Kind(422, Words("Something in it is wrong", "بخشی از درخواست نادرست است")),
    "key-reused": Kind(
        422, Words("The key was used for another request", "این کلید برای درخواست دیگری بوده است")
    ),
    "too-many": Kind(429, Words("Too many requests", "شمار درخواست‌ها بیش از اندازه است")),
    "failed": Kind(500, Words("A mistake of ours", "خطایی از سوی ما رخ داد")),
    "unavailable": Kind(503, Words("The database cannot be reached", "پایگاه داده در دسترس نیست")),
}
"""By the last step of the type's address."""


class Wrong(NamedTuple):
    """What is wrong with one field."""

    pointer: str
    """``/messages/0/mobile`` into the body, or the name of a parameter: ``cursor``."""
    words: Words


class Problem(Exception):
    """A request that is refused; ``en`` and ``fa`` say why, and what to do."""

    def __init__(
        self,
        kind: str,
        en: str = "",
        fa: str = "",
        *,
        wrong: Sequence[Wrong] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """``kind``: a key of ``KINDS``; ``wrong``: field by field; ``headers``: of the answer."""
        self.kind = kind
        self.status, self.title = KINDS[kind]
        self.detail = Words(en, fa)
        self.wrong = tuple(wrong)
        self.headers = dict(headers or {})
        super().__init__(f"{kind}: {en}")


def invalid(pointer: str, en: str, fa: str) -> Problem:
    """One field is wrong: 422."""
    return Problem("invalid", en, fa, wrong=[Wrong(pointer, Words(en, fa))])


def not_found() -> Problem:
    """There is no such thing, or none that the token may know of."""
    return Problem(
        "not-found",
        "nothing here has this address or id, or it is not for this token",
        "چیزی با این نشانی یا شناسه نیست، یا این کلید به آن دسترسی ندارد",
    )


def step_of(name: object) -> str:
    """A name as a step of a pointer."""
    return str(name).replace("~", "~0").replace("/", "~1")


def as_bytes(problem: Problem) -> bytes:
    """The body of its answer."""
    body: dict[str, Any] = {
        "type": f"{REFERENCE}#{problem.kind}",
        "status": problem.status,
        "title": problem.title.en,
        "title_fa": problem.title.fa,
    }
    if problem.detail.en:
        body |= {"detail": problem.detail.en, "detail_fa": problem.detail.fa}
    if problem.wrong:
        body["errors"] = [
            {"pointer": each.pointer, "detail": each.words.en, "detail_fa": each.words.fa}
            for each in problem.wrong
        ]
    return json.dumps(body, ensure_ascii=False).encode()
