"""Who may use the desk: users, what they may do, and help for who cannot get in."""

from __future__ import annotations

from typing import Any, NamedTuple

from core.access.audit import Entry
from core.access.giving import check_giving, check_over
from core.access.passwords import hash_password
from core.access.permissions import EVERY_UTILITY, Permission
from core.access.roles import Role, list_roles
from core.access.second_factor import reset_totp
from core.access.users import (
    LANGUAGES,
    NewUser,
    User,
    UserError,
    add_user,
    change_user,
    disable_user,
    enable_user,
    end_sessions,
    list_users,
    set_password,
    user_name,
)
from core.text import fold
from gateway.web.desk.account import check_new_password
from gateway.web.desk.forms import Form
from gateway.web.desk.refusals import NotFound, Refusal
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit

routes = Routes()
_ACTS = "<any(disable,enable,totp,logout):act>"
_FIELD_OF = {"taken": "name", "name": "name", "last": "held", "beyond": "held", "role": "held"}


class _Said(NamedTuple):
    """What the form says of a user."""

    title: str
    language: str
    office: str
    held: list[tuple[int, str]]
    told: list[str]
    """The same for the audit log."""


@routes.route("GET", "/users", Permission.USER_SEE)
async def show(visit: Visit) -> bytes:
    """Everybody whom the visitor may know of."""
    everybody = await visit.read("users", list_users)
    users = [user for user in everybody if visit.grants.covers(user.grants)]
    return visit.page("users.html", users=users)


@routes.route("GET", "/users/new", Permission.USER_EDIT)
async def begin(visit: Visit) -> bytes:
    """A form to be filled in."""
    return await _page(visit, visit.blank(language="fa"), None)


@routes.route("POST", "/users/new", Permission.USER_EDIT)
async def add(visit: Visit) -> bytes:
    """Make a user with a password to begin with."""
    form = visit.form
    said = form.text("name", most=60, required=True)
    title, language, office, held, told = await _fields(visit, form)
    check_new_password(form, said, title)
    try:
        name = user_name(said) if said else ""
    except UserError as error:
        form.wrong("name", f"users.error.{error.key}")
    if not form.is_right:
        return await _page(visit, form, None, 422)
    hashed = await visit.hash(hash_password, form.secret("new"))
    new = NewUser(name, title, hashed, language, office)

    def work(connection: Any) -> None:
        check_giving(connection, visit.grants, held)
        add_user(connection, new, held, visit.means.now_ms())

    details = {"title": title, "roles": told}
    return await _changed(visit, form, None, Entry("user.add", f"user:{name}", "", details), work)


@routes.route("GET", "/users/<int:user_id>", Permission.USER_SEE)
async def show_one(visit: Visit, user_id: int) -> bytes:
    """One user, to be changed."""
    user = await _user(visit, user_id)
    return await _page(visit, visit.blank(**_values(user)), user)


@routes.route("POST", "/users/<int:user_id>", Permission.USER_EDIT)
async def change(visit: Visit, user_id: int) -> bytes:
    """Change who somebody is and what they may do."""
    user, form = await _user(visit, user_id), visit.form
    title, language, office, held, told = await _fields(visit, form)
    if not form.is_right:
        return await _page(visit, form, user, 422)

    def work(connection: Any) -> None:
        check_over(connection, visit.grants, user_id)
        check_giving(connection, visit.grants, held)
        change_user(connection, user_id, title=title, language=language, office=office, held=held)

    details = {"title": title, "office": office, "roles": told}
    return await _changed(visit, form, user, Entry("user.edit", _named(user), "", details), work)


@routes.route("POST", "/users/<int:user_id>/password", Permission.USER_EDIT)
async def give_password(visit: Visit, user_id: int) -> bytes:
    """Give somebody a new password; they are logged out everywhere, and a lock is lifted."""
    user, form = await _user(visit, user_id), visit.form
    check_new_password(form, user.name, user.title)
    if not form.is_right:
        return await _page(visit, form, user, 422)
    hashed = await visit.hash(hash_password, form.secret("new"))

    def work(connection: Any) -> None:
        check_over(connection, visit.grants, user_id)
        set_password(connection, user_id, hashed, visit.means.now_ms())

    return await _changed(visit, form, user, Entry("user.password", _named(user)), work)


@routes.route("POST", f"/users/<int:user_id>/{_ACTS}", Permission.USER_EDIT)
async def act(visit: Visit, user_id: int, act: str) -> bytes:
    """Let somebody in no more, or again; forget a lost telephone; log somebody out."""
    user = await _user(visit, user_id)
    if act == "disable" and user.id == visit.user.id:
        raise Refusal(409, "users.error.self")

    def work(connection: Any) -> None:
        check_over(connection, visit.grants, user_id)
        match act:
            case "disable":
                disable_user(connection, user_id, visit.means.now_ms())
            case "enable":
                enable_user(connection, user_id)
            case "totp":
                reset_totp(connection, user_id)
                end_sessions(connection, user_id)
            case _:
                end_sessions(connection, user_id)

    entry = Entry(f"user.{act}", _named(user))
    return await _changed(visit, visit.blank(), user, entry, work)


# --- help ---------------------------------------------------------------------------------


async def _user(visit: Visit, user_id: int) -> User:
    everybody = await visit.read("users", list_users)
    for user in everybody:
        if user.id == user_id and visit.grants.covers(user.grants):
            found: User = user
            return found
    raise NotFound


async def _changed(visit: Visit, form: Form, user: User | None, entry: Entry, work: Any) -> bytes:
    """Do it and go back; what cannot be is said beside its field."""
    try:
        await visit.change(entry, work)
    except UserError as error:
        field = _FIELD_OF.get(error.key)
        if field is None:
            raise Refusal(409, f"users.error.{error.key}") from None
        form.wrong(field, f"users.error.{error.key}")
        return await _page(visit, form, user, 422)
    return visit.go(f"/users/{user.id}" if user else "/users", "users.done")


async def _fields(visit: Visit, form: Form) -> _Said:
    roles: list[Role] = await visit.read("roles", list_roles)
    known = {f"{role.id}:{place}": (role, place) for role in roles for place in _places(visit)}
    held = [known[each] for each in form.choices("held", known)]
    return _Said(
        form.text("title", most=100, required=True),
        form.choice("language", LANGUAGES),
        await _office(visit, form),
        [(role.id, place) for role, place in held],
        [f"{role.name} ({place})" if place else role.name for role, place in held],
    )


async def _office(visit: Visit, form: Form) -> str:
    """The counter office as it is written already: two spellings would be two offices."""
    said = form.text("office", most=100)
    everybody: list[User] = list(await visit.read("users", list_users)) if said else []
    return next((user.office for user in everybody if fold(user.office) == fold(said)), said)


def _places(visit: Visit) -> dict[str, str]:
    """The utilities that the visitor may let somebody work for."""
    own = visit.utilities(Permission.USER_EDIT)
    if visit.scope(Permission.USER_EDIT) is not None:
        return own
    return {EVERY_UTILITY: visit.say("users.every_utility"), **own}


async def _page(visit: Visit, form: Form, user: User | None, code: int = 200) -> bytes:
    roles = await visit.read("roles", list_roles)
    if user is not None and "title" not in form.names:
        form.fill(**_values(user))  # another form of the page was sent
    return visit.page(
        "user.html", code=code, form=form, user=user, roles=roles, places=_places(visit)
    )


def _values(user: User) -> dict[str, object]:
    """What the form about a user begins with."""
    held = [f"{each.role_id}:{each.utility}" for each in user.held]
    return {"title": user.title, "language": user.language, "office": user.office, "held": held}


def _named(user: User) -> str:
    return f"user:{user.name}"
