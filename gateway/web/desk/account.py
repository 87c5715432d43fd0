"""One's own account: the password, the second factor, where one is logged in."""

from __future__ import annotations

import io
from typing import Any

import segno
from markupsafe import Markup

from core.access import second_factor
from core.access.audit import Entry
from core.access.logins import LockedOut, count_failure, forget_failures
from core.access.passwords import WeakPassword, check_password, check_strength, hash_password
from core.access.sessions import end_session, sessions_of
from core.access.users import end_sessions, password_hash_of, set_password
from core.secrecy import Unsealable
from gateway.web.desk.forms import Form
from gateway.web.desk.refusals import Refusal
from gateway.web.desk.routes import Access, Routes
from gateway.web.desk.visit import Visit

routes = Routes()
_SETUP = "second factor of {}"


@routes.route("GET", "/account", Access.SIGNED_IN)
async def show(visit: Visit) -> bytes:
    """Who one is to the desk."""
    return await _page(visit, visit.blank())


@routes.route("POST", "/account/password", Access.SIGNED_IN)
async def change_password(visit: Visit) -> bytes:
    """Change one's password; every other session ends."""
    form = visit.form
    old, new = form.secret("old"), form.secret("new")
    check_new_password(form, visit.user.name, visit.user.title)
    if form.is_right:
        await _check_own(visit, form, "old", old)
    if not form.is_right:
        return await _page(visit, form, 422)
    hashed = await visit.hash(hash_password, new)

    def work(connection: Any) -> None:
        now = visit.means.now_ms()
        set_password(connection, visit.user.id, hashed, now, but_session=_session_id(visit))

    await visit.change(Entry("password.change", f"user:{visit.user.id}"), work)
    return visit.go("/account", "account.password_changed")


@routes.route("GET", "/account/totp", Access.SIGNED_IN)
async def begin_totp(visit: Visit) -> bytes:
    """A new secret as a picture to scan; nothing is kept until a code of it was typed."""
    secret = second_factor.new_secret()
    sealed = visit.means.keys.seal(_SETUP.format(visit.user.id), secret)
    return _totp_page(visit, visit.blank(sealed=sealed), secret)


@routes.route("POST", "/account/totp", Access.SIGNED_IN)
async def set_totp(visit: Visit) -> bytes:
    """Ask for codes from now on: the first one shows that the telephone has the secret."""
    form = visit.form
    password, code = form.secret("password"), form.text("code", most=20, required=True)
    try:
        secret = visit.means.keys.unseal(_SETUP.format(visit.user.id), form.raw("sealed"))
    except Unsealable:
        raise Refusal(400) from None
    step = second_factor.step_of(secret, code, visit.means.now_ms()) if code else None
    if code and step is None:
        form.wrong("code", "account.wrong_code")
    if form.is_right:
        await _check_own(visit, form, "password", password)
    if not form.is_right or step is None:
        return _totp_page(visit, form, secret, 422)

    def work(connection: Any) -> None:
        second_factor.set_totp(connection, visit.means.keys, visit.user.id, secret, step)
        end_sessions(connection, visit.user.id, but=_session_id(visit))

    await visit.change(Entry("totp.set", f"user:{visit.user.id}"), work)
    return visit.go("/account", "account.totp_set")


@routes.route("POST", "/account/totp/off", Access.SIGNED_IN)
async def end_totp(visit: Visit) -> bytes:
    """Ask for codes no more; the password is asked for."""
    form = visit.form
    password = form.secret("password")
    if form.is_right:
        await _check_own(visit, form, "password", password)
    if not form.is_right:
        return await _page(visit, form, 422)
    entry = Entry("totp.reset", f"user:{visit.user.id}")
    await visit.change(entry, second_factor.reset_totp, visit.user.id)
    return visit.go("/account", "account.totp_off")


@routes.route("POST", "/account/sessions/<int:session_id>/end", Access.SIGNED_IN)
async def end_one(visit: Visit, session_id: int) -> bytes:
    """Log out of one other browser."""
    entry = Entry("session.end", f"session:{session_id}")
    await visit.change(entry, end_session, session_id, visit.user.id)
    return visit.go("/account", "account.ended")


@routes.route("POST", "/account/sessions/end", Access.SIGNED_IN)
async def end_all(visit: Visit) -> bytes:
    """Log out everywhere, here too."""

    def work(connection: Any) -> int:
        return end_sessions(connection, visit.user.id)

    await visit.change(Entry("session.end_all", f"user:{visit.user.id}"), work)
    visit.carry("")
    return visit.go("/login")


# --- help ---------------------------------------------------------------------------------


def check_new_password(form: Form, name: str, title: str) -> None:
    """Note in the form what is wrong with the password ``new``, which is typed twice."""
    new = form.secret("new")
    if new and form.raw("again") != new:
        form.wrong("again", "account.not_alike")
    if new:
        try:
            check_strength(new, name, title)
        except WeakPassword as weak:
            form.wrong("new", f"account.weak.{weak.key}")


async def _check_own(visit: Visit, form: Form, field: str, password: str) -> None:
    """Note in the form when it is not the password of who is logged in.

    A wrong one counts as a failed attempt: whoever found an open browser does not guess on.
    """
    user, now = visit.user, visit.means.now_ms()
    try:
        await visit.means.transact("desk.attempt", count_failure, user.name, visit.address, now)
    except LockedOut as locked:
        form.wrong(field, "login.locked", minutes=-(-locked.seconds // 60))
        return
    if await _is_own(visit, password):
        await visit.means.transact("desk.attempt", forget_failures, user.name)
    else:
        form.wrong(field, "account.wrong_password")


async def _is_own(visit: Visit, password: str) -> bool:
    """Whether it is the password of who is logged in."""
    stored = await visit.read("password", password_hash_of, visit.user.id)
    is_right: bool = await visit.hash(check_password, stored, password)
    return is_right


def _session_id(visit: Visit) -> int:
    assert visit.session is not None  # noqa: S101 - the route needs one
    return visit.session.id


async def _page(visit: Visit, form: Form, code: int = 200) -> bytes:
    sessions = await visit.read("sessions", sessions_of, visit.user.id, visit.means.now_ms())
    return visit.page(
        "account.html", code=code, form=form, sessions=sessions, here_id=_session_id(visit)
    )


def _totp_page(visit: Visit, form: Form, secret: str, code: int = 200) -> bytes:
    address = second_factor.address_of(secret, visit.user.name)
    picture = io.BytesIO()
    segno.make(address, error="m").save(
        picture, kind="svg", xmldecl=False, svgns=True, omitsize=True, svgclass=None, lineclass=None
    )
    spaced = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    drawn = Markup(picture.getvalue().decode())  # noqa: S704 - we drew it
    return visit.page("account_totp.html", code=code, form=form, qr=drawn, secret=spaced)
