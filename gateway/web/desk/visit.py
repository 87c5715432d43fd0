"""One request to the desk: who makes it, what they may, and every way to answer it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from hmac import compare_digest
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from core.access.audit import Actor, Entry
from core.access.permissions import NOTHING, Grants, Permission
from core.access.sessions import Session, find_session
from core.access.users import User
from gateway.web.desk import cookies
from gateway.web.desk.asked import form_of, query_of
from gateway.web.desk.flash import Flash, read, written
from gateway.web.desk.forms import Form
from gateway.web.desk.means import Means
from gateway.web.desk.navigation import navigation
from gateway.web.desk.refusals import Forbidden, NotFound
from gateway.web.desk.rendering import link
from gateway.web.desk.waiting import waiting

if TYPE_CHECKING:
    from gateway.web.desk.board import Board
    from gateway.web.desk.frame import Equipment

_FLASH_SECONDS = 60


class Visit:
    """What a handler is called with."""

    def __init__(  # noqa: PLR0913 - what a visit is made of
        self,
        request: Any,
        means: Means,
        equipment: Equipment,
        *,
        address: str,
        session: Session | None,
        token: str,
    ) -> None:
        """``token`` is what the session's cookie holds; "" without a session."""
        self.request = request
        self.means = means
        self.address = address
        self.session = session
        self._equipment = equipment
        self._token = token
        self._page: tuple[str, dict[str, Any]] | None = None
        """The template that is to be drawn, and its values."""

    # --- who ------------------------------------------------------------------------

    @property
    def user(self) -> User:
        """Who is logged in; ``Forbidden`` where nobody is."""
        if self.session is None:
            raise Forbidden
        return self.session.user

    @property
    def grants(self) -> Grants:
        """What the visitor may do."""
        is_in = self.session is not None and self.session.is_verified
        return self.session.user.grants if self.session and is_in else NOTHING

    def may(self, permission: str, utility: str | None = None) -> bool:
        """Whether the visitor may do that: with a utility's data, or with any at all (None)."""
        return self.grants.may(Permission(permission), utility)

    def check(self, permission: Permission, utility: str | None) -> None:
        """Raise ``NotFound`` unless the visitor may do that with this utility's data.

        What belongs to no utility (None) is for those whose permission is for every one's.
        """
        scope = self.grants.scope(permission)
        if scope is not None and (utility is None or utility not in scope):
            raise NotFound

    def scope(self, permission: Permission) -> frozenset[str] | None:
        """The keys of the utilities whose data the visitor may do that with; None: every one."""
        return self.grants.scope(permission)

    def utilities(self, permission: Permission) -> dict[str, str]:
        """The utilities that the visitor may do that for: titles by the keys of their data."""
        scope = self.scope(permission)
        titles = self.means.utilities
        return {key: title for key, title in titles.items() if scope is None or key in scope}

    @property
    def actor(self) -> Actor:
        """Who does it, for the audit log."""
        return Actor(self.user.name, self.address, self.user.id)

    @property
    def first_page(self) -> str:
        """The path of the first page that the visitor may open."""
        groups = navigation(self.grants, self._equipment.served)
        return groups[0].items[0].path if groups else "/account"

    @property
    def board(self) -> Board:
        """What makes the blocks of the dashboard."""
        return self._equipment.board

    def carry(self, token: str) -> None:
        """Have the browser carry the session of ``token`` from now on; "": none."""
        if token:
            self._equipment.cookies.put(self.request, cookies.SESSION, token)
            self._equipment.cookies.drop(self.request, cookies.VISITOR)
        else:
            self._equipment.cookies.drop(self.request, cookies.SESSION)

    def remember_language(self, language: str) -> None:
        """Have the browser remember a language for when nobody is logged in."""
        years = cookies.YEAR_SECONDS
        self._equipment.cookies.put(self.request, cookies.LANGUAGE, language, years)

    # --- what was asked ---------------------------------------------------------------

    @cached_property
    def language(self) -> str:
        """``fa`` or ``en``: the user's, else what the browser was told last."""
        if self.session is not None:
            return self.session.user.language
        said = self._equipment.cookies.get(self.request, cookies.LANGUAGE)
        return said if said in self._equipment.texts.catalogues else "fa"

    def say(self, key: str, /, **values: Any) -> str:
        """A text in the visitor's language."""
        return self._equipment.texts.say(self.language, key, **values)

    def say_or(self, key: str, otherwise: str, /) -> str:
        """A text in the visitor's language, where there is one."""
        return self.say(key) if self._equipment.texts.has(key) else otherwise

    @cached_property
    def query(self) -> Form:
        """What stands behind the question mark of the address."""
        return query_of(self.request, self.say)

    @cached_property
    def form(self) -> Form:
        """The form that was sent; an empty one for GET."""
        return form_of(self.request, self.say)

    def blank(self, **values: object) -> Form:
        """A form that is about to be filled in."""
        return Form({}, self.say).fill(**values)

    # --- the token in forms -------------------------------------------------------------

    @cached_property
    def csrf(self) -> str:
        """What a form must carry: nobody else can know it, and it is of no use to anybody else."""
        return self.means.keys.sign("csrf", self._bearer(make=True))

    def is_own_form(self) -> bool:
        """Whether the form that was sent is one that this browser was given by us."""
        bearer = self._bearer(make=False)
        if self.request.getHeader(b"sec-fetch-site") in (b"cross-site", b"same-site"):
            return False
        sent = self.form.raw("csrf")
        return bool(bearer) and compare_digest(
            sent.encode(), self.means.keys.sign("csrf", bearer).encode()
        )

    def _bearer(self, *, make: bool) -> str:
        if self._token:
            return self._token
        found = self._equipment.cookies.get(self.request, cookies.VISITOR)
        if not found and make:
            found = secrets.token_urlsafe(24)
            self._equipment.cookies.put(self.request, cookies.VISITOR, found)
        return found

    # --- work ---------------------------------------------------------------------------

    async def read(self, name: str, function: Callable[..., Any], /, *args: Any) -> Any:
        """What ``function(connection, *args)`` reads."""
        return await self.means.read(f"desk.{name}", function, *args)

    async def change(
        self, entry: Entry | Sequence[Entry], function: Callable[..., Any], /, *args: Any
    ) -> Any:
        """Run ``function(connection, *args)`` and write down in the same transaction who did it.

        Whatever the function raises leaves nothing behind, and nothing in the log.
        """
        entries = [entry] if isinstance(entry, Entry) else entry
        now = self.means.now_ms()

        def work(connection: Any) -> Any:
            done = function(connection, *args)
            self.means.scribe.write(connection, now, self.actor, *entries)
            return done

        return await self.means.transact(f"desk.{entries[0].action}", work)

    async def hash(self, function: Callable[..., Any], /, *args: Any) -> Any:
        """What takes a processor for a while, such as a password's hash: one at a time.

        However many guess passwords at once, readers of the database find a thread free.
        """
        return await self._equipment.hashing.run(self.means.in_thread, function, *args)

    async def audit(self, *entries: Entry) -> None:
        """Write down what was done, or looked at."""
        if entries:
            now = self.means.now_ms()
            write = self.means.scribe.write
            await self.means.transact("desk.audit", write, now, self.actor, *entries)

    async def sees_personal(self, entry: Entry) -> bool:
        """Whether the visitor may see the personal data of ``entry.object``; a look is audited.

        For a page about one person or thing: lists stay masked for everybody.
        """
        sees = self.grants.may(Permission.PERSONAL_SEE, entry.utility or None)
        if sees:
            await self.audit(entry)
        return sees

    async def is_still_in(self, permission: Permission) -> bool:
        """Whether the session goes on by now, and its user may still do that."""
        found: Session | None = await self.means.read(
            "desk.session", find_session, self._token, self.means.lifetime, self.means.now_ms()
        )
        return found is not None and found.is_verified and found.user.grants.may(permission)

    # --- answers ------------------------------------------------------------------------

    def page(self, template: str, /, *, code: int = 200, **values: Any) -> bytes:
        """A page; ``code`` 422 for a form that has mistakes in it.

        It is a handler's answer: the frame draws it (``drawn``) beside whatever else goes on.
        """
        self.request.setResponseCode(code)
        flash = self._take_flash()
        self._page = (
            template,
            dict(
                visit=self,
                t=self.say,
                language=self.language,
                csrf=self.csrf,
                navigation=navigation(self.grants, self._equipment.served),
                here=self._here,
                flash=flash,
                font=self._equipment.static.font,
                **values,
            ),
        )
        return b""

    async def drawn(self, answer: bytes) -> bytes:
        """What goes to the browser: a long list takes a while, and nobody's message waits."""
        if self._page is None:
            return answer
        name, values = self._page
        waits = await waiting(self)
        draw = partial(self._equipment.renderer.draw, name, **values, waiting=waits)
        page: bytes = await self.means.in_thread(draw)
        return page

    def drawn_now(self, answer: bytes) -> bytes:
        """The same at once, for what is small."""
        if self._page is None:
            return answer
        name, values = self._page
        return self._equipment.renderer.render(name, **values, waiting={})

    def go(self, path: str, flash: str = "", /, *, kind: str = "good", **values: Any) -> bytes:
        """On to another page of the desk (``/inbox``), where the text ``flash`` is shown once."""
        if flash:
            self._put_flash(Flash(kind, flash, values))
        self.request.setResponseCode(303)
        self.request.setHeader(b"location", quote(link(path), safe="/?&=%+,:@~").encode())
        return b""

    def download(self, name: str, kind: str, content: bytes) -> bytes:
        """A file to keep; ``kind`` is its media type."""
        plain = name.encode("ascii", "replace").decode().replace('"', "_").replace("?", "_")
        said = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
        self.request.setHeader(b"content-type", kind.encode())
        self.request.setHeader(b"content-disposition", said.encode())
        return content

    def address_with(self, **values: object) -> str:
        """This page's address with other values in its query; None takes one out."""
        kept = {name: list(self.query.raws(name)) for name in self.query.names}
        for name, value in values.items():
            kept[name] = [] if value is None else [str(value)]
        asked = urlencode(kept, doseq=True)
        return f"{self._here}?{asked}" if asked else self._here

    @property
    def back_here(self) -> str:
        """The path of this page, to come back to; of the first where it answers a form alone."""
        if self.request.method == b"POST" and self._here.removeprefix("/desk") not in (
            self._equipment.served
        ):
            return "/"
        asked = self.request.uri if self.request.method != b"POST" else self.request.path
        back: str = asked.decode("latin-1").removeprefix("/desk")
        return back or "/"

    @property
    def _here(self) -> str:
        path: bytes = self.request.path
        return path.decode("utf-8", "replace")

    # --- what is said once, on the next page -----------------------------------------------

    def _put_flash(self, said: Flash) -> None:
        signed = written(self.means.keys, said)
        self._equipment.cookies.put(self.request, cookies.FLASH, signed, _FLASH_SECONDS)

    def _take_flash(self) -> tuple[str, str] | None:
        found = self._equipment.cookies.get(self.request, cookies.FLASH)
        if not found:
            return None
        self._equipment.cookies.drop(self.request, cookies.FLASH)
        said = read(self.means.keys, found)
        if said is None or not self._equipment.texts.has(said.key):
            return None
        return said.kind, self.say(said.key, **said.values)
