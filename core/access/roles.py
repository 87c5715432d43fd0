"""Roles: choices of permissions. Built-in ones are code; the others are rows that people edit."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from core.access.permissions import BUILT_IN, Permission
from core.tables.access import roles, user_roles
from core.text import nearest_hint


class Role(NamedTuple):
    """A role; ``users`` is how many have it."""

    id: int
    name: str
    title: str
    permissions: frozenset[Permission]
    users: int = 0

    @property
    def is_built_in(self) -> bool:
        """Whether it stays as it is."""
        return self.name in BUILT_IN


class RoleDraft(NamedTuple):
    """What a form says of a role."""

    name: str
    title: str
    permissions: Collection[Permission]


class RoleError(ValueError):
    """A role that cannot be made or changed so; ``key`` names why: taken, built_in, used, gone."""

    def __init__(self, key: str, words: str) -> None:
        self.key = key
        super().__init__(words)


def permissions_of(name: str, stored: str) -> frozenset[Permission]:
    """What a role allows; what an older version knew and this one does not is left out."""
    if name in BUILT_IN:
        return BUILT_IN[name].permissions
    return known_permissions(stored)


def known_permissions(stored: str) -> frozenset[Permission]:
    """Those that are stored, but for what an older version knew and this one does not."""
    known = {str(each) for each in Permission}
    return frozenset(Permission(each) for each in json.loads(stored) if each in known)


def list_roles(connection: Connection) -> Sequence[Role]:
    """Every role, the built-in ones first."""
    used = (
        select(user_roles.c.role_id, func.count(user_roles.c.user_id.distinct()).label("users"))
        .group_by(user_roles.c.role_id)
        .subquery()
    )
    rows = connection.execute(
        select(roles, func.coalesce(used.c.users, 0).label("users"))
        .select_from(roles.outerjoin(used, used.c.role_id == roles.c.id))
        .order_by(roles.c.id)
    )
    return [
        Role(row.id, row.name, row.title, permissions_of(row.name, row.permissions), row.users)
        for row in rows
    ]


def find_role(connection: Connection, role_id: int) -> Role | None:
    """One role."""
    return next((role for role in list_roles(connection) if role.id == role_id), None)


def ids_of(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """The ids of roles by their names. Raises ``RoleError`` for one that there is none of."""
    found = {row.name: row.id for row in connection.execute(select(roles.c.name, roles.c.id))}
    for name in names:
        if name not in found:
            raise RoleError("gone", f"there is no role {name!r}; {nearest_hint(name, found)}")
    return {name: found[name] for name in names}


def save_role(connection: Connection, role_id: int | None, draft: RoleDraft, now_ms: int) -> int:
    """Make a role (``role_id`` None) or change one; its id. Raises ``RoleError``."""
    name = draft.name
    others = select(roles.c.id).where(roles.c.name == name, roles.c.id != (role_id or 0))
    if connection.execute(others).first():
        raise RoleError("taken", f"there is a role {name!r} already")
    values = {
        "name": name,
        "title": draft.title,
        "permissions": json.dumps(sorted(draft.permissions)),
        "changed_at": now_ms,
    }
    if role_id is None:
        made = connection.execute(insert(roles).values(values).returning(roles.c.id))
        return int(made.scalar_one())
    _editable(connection, role_id)
    connection.execute(update(roles).where(roles.c.id == role_id).values(values))
    return role_id


def delete_role(connection: Connection, role_id: int) -> None:
    """Delete a role that nobody has. Raises ``RoleError``."""
    role = _editable(connection, role_id)
    if role.users:
        raise RoleError("used", f"{role.users} user(s) have the role {role.name!r}")
    connection.execute(delete(roles).where(roles.c.id == role_id))


def _editable(connection: Connection, role_id: int) -> Role:
    role = find_role(connection, role_id)
    if role is None:
        raise RoleError("gone", "there is no such role any more")
    if role.is_built_in:
        raise RoleError("built_in", f"the role {role.name!r} stays as it is; make another")
    return role
