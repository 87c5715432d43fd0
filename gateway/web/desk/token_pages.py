"""Tokens of the API: what there are, one made and shown once, one revoked."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from core.access.administering import By
from core.access.permissions import EVERY_UTILITY, TITLES, Grants, Permission
from core.access.tokens import (
    MOST_PER_MINUTE,
    PER_MINUTE,
    YEAR_MS,
    NewToken,
    Token,
    TokenError,
    add_token,
    list_tokens,
    revoke_token,
    token_name,
)
from core.jalali import day_interval, milliseconds
from gateway.web.desk.forms import Form
from gateway.web.desk.refusals import NotFound
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit

routes = Routes()
_FIELD_OF: Final = {
    "name": "name",
    "taken": "name",
    "permissions": "permissions",
    "past": "expires",
}


@routes.route("GET", "/tokens", Permission.TOKEN_EDIT)
async def show(visit: Visit) -> bytes:
    """Those that the visitor may know of, the ones that are over too."""
    now = visit.means.now_ms()
    tokens = await _tokens(visit)
    return visit.page("tokens.html", tokens=[(each, _state(each, now)) for each in tokens])


@routes.route("GET", "/tokens/new", Permission.TOKEN_EDIT)
async def begin(visit: Visit) -> bytes:
    """A form to be filled in."""
    return _page(visit, visit.blank(per_minute=PER_MINUTE))


@routes.route("POST", "/tokens/new", Permission.TOKEN_EDIT)
async def add(visit: Visit) -> bytes:
    """Make a token, and show it this once."""
    form = visit.form
    new = _read(visit, form)
    if not form.is_right:
        return _page(visit, form, 422)
    try:
        secret: str = await visit.means.transact("desk.token.add", add_token, _by(visit), new)
    except TokenError as error:
        form.wrong(_FIELD_OF[error.key], f"tokens.error.{error.key}")
        return _page(visit, form, 422)
    return visit.page("token_made.html", name=token_name(new.name), secret=secret)


@routes.route("POST", "/tokens/<name>/revoke", Permission.TOKEN_EDIT)
async def revoke(visit: Visit, name: str) -> bytes:
    """Let it in no more."""
    if all(each.name != name for each in await _tokens(visit)):
        raise NotFound
    try:
        await visit.means.transact("desk.token.revoke", revoke_token, _by(visit), name)
    except TokenError:
        return visit.go("/tokens", "tokens.error.gone", kind="bad")
    return visit.go("/tokens", "tokens.revoked")


# --- help ---------------------------------------------------------------------------------


def _by(visit: Visit) -> By:
    return By(visit.means.scribe, visit.actor, visit.means.now_ms())


async def _tokens(visit: Visit) -> Sequence[Token]:
    scope = visit.scope(Permission.TOKEN_EDIT)
    everyone: Sequence[Token] = await visit.read("tokens", list_tokens)
    return [each for each in everyone if scope is None or each.utility in scope]


def _read(visit: Visit, form: Form) -> NewToken:
    """What the form says; what is wrong stands beside its field."""
    name = form.text("name", most=40, required=True)
    every = visit.scope(Permission.TOKEN_EDIT) is None
    known = visit.utilities(Permission.TOKEN_EDIT)
    utility = form.choice("utility", known, required=not every) or EVERY_UTILITY
    per_minute = form.number("per_minute", least=1, most=MOST_PER_MINUTE, required=True)
    day = form.day("expires")
    until = visit.means.now_ms() + YEAR_MS
    if form.tick("never"):
        expires_at = None
    else:
        expires_at = until if day is None else milliseconds(day_interval(day)[1])
    permissions = {str(each): each for each in Permission}
    ticked = frozenset(permissions[each] for each in form.choices("permissions", permissions))
    if not visit.grants.covers(Grants({utility: ticked})):
        form.wrong("permissions", "roles.error.beyond")
    return NewToken(name, ticked, utility, per_minute or 0, expires_at)


def _state(token: Token, now: int) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "good" if token.is_good(now) else "expired"


def _page(visit: Visit, form: Form, code: int = 200) -> bytes:
    place = 0 if visit.language == "fa" else 1
    mine = [each for each in Permission if visit.grants.may(each)]
    groups = [
        (form_name, [(str(each), TITLES[each][place]) for each in permissions])
        for form_name, permissions in groupby(mine, lambda each: each.partition(".")[0])
    ]
    return visit.page(
        "token_new.html",
        code=code,
        form=form,
        groups=groups,
        utilities=list(visit.utilities(Permission.TOKEN_EDIT).items()),
        may_every=visit.scope(Permission.TOKEN_EDIT) is None,
    )
