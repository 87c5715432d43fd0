"""Logging in and out, and the language that is spoken.

The password is checked on a thread that holds up no batch; each attempt counts as a failure
before it is looked at, and is forgotten when it was right (``core.access.logins``).
"""

from __future__ import annotations

import re
from typing import Any, Final

from core.access.audit import Actor, Entry
from core.access.logins import Attempt, LockedOut, begin_attempt, count_failure, forget_failures
from core.access.passwords import check_password
from core.access.second_factor import use_code
from core.access.sessions import Browser, Session, begin_session, end_session
from core.access.users import LANGUAGES, set_language
from gateway.web.desk.forms import Form
from gateway.web.desk.refusals import Refusal
from gateway.web.desk.routes import Access, Routes
from gateway.web.desk.visit import Visit

routes = Routes()
_INSIDE: Final = re.compile(r"/[A-Za-z0-9_.~%/-]*(\?[A-Za-z0-9_.~%=&+-]*)?")
"""An address of the desk and of nowhere else."""


@routes.route("GET", "/", Access.SIGNED_IN)
async def begin(visit: Visit) -> bytes:
    """On to the first page that the visitor may open."""
    return visit.go(visit.first_page)


@routes.route("GET", "/login", Access.ANYBODY)
async def ask(visit: Visit) -> bytes:
    """The form."""
    if visit.session is not None and visit.session.is_verified:
        return visit.go("/")
    return _login_page(visit, visit.blank(next=_inside(visit.query)))


@routes.route("POST", "/login", Access.ANYBODY)
async def log_in(visit: Visit) -> bytes:
    """Check name and password; whoever has a second factor is asked for its code next."""
    form = visit.form
    name, password = form.text("name", most=100, required=True), form.secret("password")
    if not form.is_right:
        return _login_page(visit, form)
    now = visit.means.now_ms()
    try:
        attempt: Attempt = await visit.means.transact(
            "desk.attempt", begin_attempt, name, visit.address, now
        )
    except LockedOut as locked:
        form.wrong("name", "login.locked", minutes=-(-locked.seconds // 60))
        return _login_page(visit, form, 429)
    is_right = await visit.hash(check_password, attempt.password_hash, password)
    if not is_right or attempt.user_id is None:
        await _note(visit, attempt.name, None, "login.failed")
        form.wrong("name", "login.wrong")
        return _login_page(visit, form)
    token = await visit.means.transact("desk.login", _open, visit, attempt)
    visit.carry(token)
    if attempt.totp:
        return visit.go(_with_next("/login/code", form))
    return visit.go(_inside(form) or "/")


@routes.route("GET", "/login/code", Access.ANYBODY)
async def ask_code(visit: Visit) -> bytes:
    """The form for the second factor's code."""
    if visit.session is None or visit.session.is_verified:
        return visit.go("/")
    return visit.page("login_code.html", form=visit.blank(next=_inside(visit.query)))


@routes.route("POST", "/login/code", Access.ANYBODY)
async def take_code(visit: Visit) -> bytes:
    """Check the code; a wrong one counts as a failed attempt."""
    session, form = visit.session, visit.form
    if session is None or session.is_verified:
        return visit.go("/")
    code = form.text("code", most=20, required=True)
    if form.is_right:
        try:
            token = await visit.means.transact("desk.code", _use_code, visit, session, code)
        except LockedOut as locked:
            form.wrong("code", "login.locked", minutes=-(-locked.seconds // 60))
            return visit.page("login_code.html", code=429, form=form)
        if token:
            visit.carry(token)
            return visit.go(_inside(form) or "/")
        await _note(visit, session.user.name, session.user.id, "login.code_failed")
        form.wrong("code", "login.wrong_code")
    return visit.page("login_code.html", code=422, form=form)


@routes.route("POST", "/logout", Access.ANYBODY)
async def log_out(visit: Visit) -> bytes:
    """End this session."""
    if visit.session is not None:
        user = visit.session.user
        await visit.change(Entry("logout"), end_session, visit.session.id, user.id)
    visit.carry("")
    return visit.go("/login")


@routes.route("POST", "/language", Access.ANYBODY)
async def speak(visit: Visit) -> bytes:
    """Change the language, and stay on the page."""
    language = visit.form.raw("language")
    if language not in LANGUAGES:
        raise Refusal(400)
    visit.remember_language(language)
    if visit.session is not None and visit.session.is_verified:
        user_id = visit.session.user.id
        await visit.means.transact("desk.language", set_language, user_id, language)
    return visit.go(_inside(visit.form) or "/")


# --- help ---------------------------------------------------------------------------------


def _login_page(visit: Visit, form: Form, code: int = 200) -> bytes:
    code = 422 if form.errors and code == 200 else code  # noqa: PLR2004
    return visit.page("login.html", code=code, form=form)


def _inside(form: Form) -> str:
    """Where to go after, when that is in the desk."""
    said = form.raw("next")
    return said if _INSIDE.fullmatch(said) and not said.startswith("//") else ""


def _with_next(path: str, form: Form) -> str:
    after = _inside(form)
    return (
        f"{path}?next={after.replace('%', '%25').replace('?', '%3F').replace('&', '%26')}"
        if after
        else path
    )


def _browser(visit: Visit) -> Browser:
    agent: bytes = visit.request.getHeader(b"user-agent") or b""
    return Browser(visit.address, agent.decode("latin-1"))


def _open(connection: Any, visit: Visit, attempt: Attempt) -> str:
    """A session of its own for this login; the token."""
    assert attempt.user_id is not None  # noqa: S101 - asked before
    now = visit.means.now_ms()
    if visit.session is not None:
        end_session(connection, visit.session.id, visit.session.user.id)
    if not attempt.totp:
        forget_failures(connection, attempt.name)
        actor = Actor(attempt.name, visit.address, attempt.user_id)
        visit.means.scribe.write(connection, now, actor, Entry("login"))
    return begin_session(
        connection,
        attempt.user_id,
        _browser(visit),
        visit.means.lifetime,
        now,
        verified=not attempt.totp,
    )


def _use_code(connection: Any, visit: Visit, session: Session, code: str) -> str:
    """The token of the session that goes on; "" for a wrong code."""
    user, now = session.user, visit.means.now_ms()
    count_failure(connection, user.name, visit.address, now)
    if not use_code(connection, visit.means.keys, user.id, code, now):
        return ""
    forget_failures(connection, user.name)
    visit.means.scribe.write(
        connection, now, Actor(user.name, visit.address, user.id), Entry("login")
    )
    end_session(connection, session.id, user.id)
    lifetime = visit.means.lifetime
    return begin_session(connection, user.id, _browser(visit), lifetime, now, verified=True)


async def _note(visit: Visit, name: str, user_id: int | None, action: str) -> None:
    actor = Actor(name, visit.address, user_id)
    now = visit.means.now_ms()
    await visit.means.transact("desk.failed", visit.means.scribe.write, now, actor, Entry(action))
