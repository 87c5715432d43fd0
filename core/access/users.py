"""Users of the desk: who they are, what they may do, and how both are changed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from core.access.permissions import ADMINISTRATOR, EVERY_UTILITY, Grants, Permission
from core.access.roles import permissions_of
from core.tables.access import login_failures, roles, user_roles, users, web_sessions

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?")
LANGUAGES: Final = ("fa", "en")

# Built once: every page of the desk reads who asks for it.
_USERS: Final = select(users).order_by(users.c.name)
_WITH_ID: Final = select(users).where(users.c.id == bindparam("id"))
_NAMED: Final = select(users).where(users.c.name == bindparam("name"))
_HELD: Final = (
    select(user_roles, roles.c.name, roles.c.permissions)
    .join(roles, roles.c.id == user_roles.c.role_id)
    .order_by(user_roles.c.role_id, user_roles.c.utility)
)
_HELD_BY: Final = _HELD.where(user_roles.c.user_id == bindparam("id"))


class Held(NamedTuple):
    """A role that a user has, for the data of a utility (``EVERY_UTILITY``: of every one)."""

    role_id: int
    role: str
    utility: str


class User(NamedTuple):
    """A person who may log in; secrets are left where they are stored."""

    id: int
    name: str
    title: str
    language: str
    office: str
    created_at: int
    disabled_at: int | None
    has_totp: bool
    held: tuple[Held, ...]
    grants: Grants


class UserError(ValueError):
    """What cannot be done with a user; ``key``: name, taken, gone, last, office."""

    def __init__(self, key: str, words: str) -> None:
        self.key = key
        super().__init__(words)


class NewUser(NamedTuple):
    """A user to be made; the password is hashed before the transaction."""

    name: str
    title: str
    password_hash: str
    language: str = "fa"
    office: str = ""


def user_name(said: str) -> str:
    """A name as it is stored. Raises ``UserError`` for one that cannot be."""
    name = said.strip().lower()
    if not _NAME.fullmatch(name):
        raise UserError(
            "name", "a name has 1 to 40 of a-z, 0-9, dot, dash and underscore, such as m.karimi"
        )
    return name


def add_user(
    connection: Connection, new: NewUser, held: Iterable[tuple[int, str]], now_ms: int
) -> int:
    """Make a user with roles (id and utility); the id. Raises ``UserError``."""
    if connection.execute(select(users.c.id).where(users.c.name == new.name)).first():
        raise UserError("taken", f"there is a user {new.name!r} already")
    values = {**new._asdict(), "created_at": now_ms, "password_at": now_ms}
    made = connection.execute(insert(users).values(values).returning(users.c.id))
    user_id = int(made.scalar_one())
    _give(connection, user_id, held)
    return user_id


def is_first(connection: Connection) -> bool:
    """Whether there is no user yet."""
    return connection.execute(select(users.c.id).limit(1)).first() is None


def list_users(connection: Connection) -> Sequence[User]:
    """Every user by name, with what each may do."""
    rows = connection.execute(_USERS).all()
    held = _held(connection.execute(_HELD))
    return [_user(row, held[row.id]) for row in rows]


def find_user(connection: Connection, user_id: int) -> User | None:
    """One user by id."""
    return _one(connection, connection.execute(_WITH_ID, {"id": user_id}).first())


def user_named(connection: Connection, name: str) -> User | None:
    """One user by name."""
    return _one(connection, connection.execute(_NAMED, {"name": name}).first())


def password_hash_of(connection: Connection, user_id: int) -> str:
    """The hash of somebody's password. Raises ``UserError`` for who is gone."""
    found = connection.execute(select(users.c.password_hash).where(users.c.id == user_id)).first()
    if found is None:
        raise _gone()
    return str(found[0])


def change_user(  # noqa: PLR0913 - each is a field of the form
    connection: Connection,
    user_id: int,
    *,
    title: str,
    language: str,
    office: str,
    held: Sequence[tuple[int, str]],
) -> None:
    """Change who somebody is and what they may do. Raises ``UserError``.

    The last administrator who can log in stays one: somebody has to let the others in.
    """
    _set(connection, user_id, title=title, language=language, office=office)
    connection.execute(delete(user_roles).where(user_roles.c.user_id == user_id))
    _give(connection, user_id, held)
    _keep_an_administrator(connection)


def disable_user(connection: Connection, user_id: int, now_ms: int) -> None:
    """Let somebody in no more, and log them out everywhere. Raises ``UserError``."""
    _set(connection, user_id, disabled_at=now_ms)
    end_sessions(connection, user_id)
    _keep_an_administrator(connection)


def enable_user(connection: Connection, user_id: int) -> None:
    """Let somebody in again. Raises ``UserError``."""
    _set(connection, user_id, disabled_at=None)


def set_password(
    connection: Connection,
    user_id: int,
    password_hash: str,
    now_ms: int,
    *,
    but_session: int | None = None,
) -> None:
    """Change a password; every session ends but one, and a lock is lifted.

    Raises ``UserError``.
    """
    _set(connection, user_id, password_hash=password_hash, password_at=now_ms)
    end_sessions(connection, user_id, but=but_session)
    name = select(users.c.name).where(users.c.id == user_id).scalar_subquery()
    connection.execute(delete(login_failures).where(login_failures.c.name == name))


def set_language(connection: Connection, user_id: int, language: str) -> None:
    """The language of the desk for somebody. Raises ``UserError``."""
    _set(connection, user_id, language=language)


def end_sessions(connection: Connection, user_id: int, *, but: int | None = None) -> int:
    """Log somebody out everywhere, but in the session ``but``; how many sessions ended."""
    ended = connection.execute(
        delete(web_sessions).where(
            web_sessions.c.user_id == user_id, web_sessions.c.id != (0 if but is None else but)
        )
    )
    return ended.rowcount


def _set(connection: Connection, user_id: int, **values: Any) -> None:
    if not connection.execute(update(users).where(users.c.id == user_id).values(values)).rowcount:
        raise _gone()


def _gone() -> UserError:
    return UserError("gone", "there is no such user any more")


def _give(connection: Connection, user_id: int, held: Iterable[tuple[int, str]]) -> None:
    rows = [
        {"user_id": user_id, "role_id": role_id, "utility": utility}
        for role_id, utility in dict.fromkeys(held)
    ]
    if rows:
        connection.execute(insert(user_roles), rows)


def _keep_an_administrator(connection: Connection) -> None:
    found = connection.execute(
        select(users.c.id)
        .join(user_roles, user_roles.c.user_id == users.c.id)
        .join(roles, roles.c.id == user_roles.c.role_id)
        .where(
            users.c.disabled_at.is_(None),
            roles.c.name == ADMINISTRATOR,
            user_roles.c.utility == EVERY_UTILITY,
        )
        .limit(1)
    ).first()
    if found is None:
        raise UserError("last", "nobody would be left who may let others in")


def _one(connection: Connection, row: Row[Any] | None) -> User | None:
    if row is None:
        return None
    return _user(row, _held(connection.execute(_HELD_BY, {"id": row.id}))[row.id])


def _user(row: Row[Any], held: Sequence[tuple[Held, frozenset[Permission]]]) -> User:
    return User(
        row.id,
        row.name,
        row.title,
        row.language,
        row.office,
        row.created_at,
        row.disabled_at,
        row.totp_secret is not None,
        tuple(each for each, _ in held),
        _grants(held),
    )


def _held(
    rows: Iterable[Row[Any]],
) -> defaultdict[int, list[tuple[Held, frozenset[Permission]]]]:
    found: defaultdict[int, list[tuple[Held, frozenset[Permission]]]] = defaultdict(list)
    for row in rows:
        held = Held(row.role_id, row.name, row.utility)
        found[row.user_id].append((held, permissions_of(row.name, row.permissions)))
    return found


def _grants(held: Iterable[tuple[Held, frozenset[Permission]]]) -> Grants:
    by_utility: defaultdict[str, frozenset[Permission]] = defaultdict(frozenset)
    for each, permissions in held:
        by_utility[each.utility] |= permissions
    return Grants(by_utility)
