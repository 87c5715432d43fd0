"""Roles: what there are, and those that the utility makes for itself."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any, Final

from core.access.audit import Entry
from core.access.permissions import TITLES, Grants, Permission
from core.access.roles import Role, RoleDraft, RoleError, delete_role, list_roles, save_role
from gateway.web.desk.forms import Form
from gateway.web.desk.refusals import Forbidden, NotFound
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit

routes = Routes()
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@routes.route("GET", "/roles", Permission.USER_SEE)
async def show(visit: Visit) -> bytes:
    """Every role and how many have it."""
    return visit.page("roles.html", roles=await visit.read("roles", list_roles))


@routes.route("GET", "/roles/new", Permission.ROLE_EDIT)
async def begin(visit: Visit) -> bytes:
    """A form to be filled in; ``?like=ID`` begins with what another role allows."""
    like = visit.query.number("like")
    roles: list[Role] = await visit.read("roles", list_roles)
    ticked = next((role.permissions for role in roles if role.id == like), frozenset[Permission]())
    return _page(visit, visit.blank(permissions=ticked), None)


@routes.route("GET", "/roles/<int:role_id>", Permission.USER_SEE)
async def show_one(visit: Visit, role_id: int) -> bytes:
    """What a role allows."""
    role = await _role(visit, role_id)
    form = visit.blank(name=role.name, title=role.title, permissions=role.permissions)
    return _page(visit, form, role)


@routes.route("POST", "/roles/new", Permission.ROLE_EDIT)
async def add(visit: Visit) -> bytes:
    """Make a role."""
    return await _save(visit, None)


@routes.route("POST", "/roles/<int:role_id>", Permission.ROLE_EDIT)
async def change(visit: Visit, role_id: int) -> bytes:
    """Change a role, and what everybody may do who has it."""
    return await _save(visit, await _role(visit, role_id))


@routes.route("POST", "/roles/<int:role_id>/delete", Permission.ROLE_EDIT)
async def delete(visit: Visit, role_id: int) -> bytes:
    """Delete a role that nobody has."""
    role = await _role(visit, role_id)
    _check_everywhere(visit)
    try:
        await visit.change(Entry("role.delete", f"role:{role.name}"), delete_role, role_id)
    except RoleError as error:
        return visit.go(f"/roles/{role_id}", f"roles.error.{error.key}", kind="bad")
    return visit.go("/roles", "roles.deleted")


# --- help ---------------------------------------------------------------------------------


async def _role(visit: Visit, role_id: int) -> Role:
    roles: list[Role] = await visit.read("roles", list_roles)
    for role in roles:
        if role.id == role_id:
            return role
    raise NotFound


def _check_everywhere(visit: Visit) -> None:
    """A role is had with any utility's data: who edits it must be trusted with every one's."""
    if visit.scope(Permission.ROLE_EDIT) is not None:
        raise Forbidden


async def _save(visit: Visit, role: Role | None) -> bytes:
    _check_everywhere(visit)
    form = visit.form
    name = form.text("name", most=40, required=True).lower()
    if name and not _NAME.fullmatch(name):
        form.wrong("name", "roles.error.name")
    title = form.text("title", most=100, required=True)
    known = {str(each): each for each in Permission}
    ticked = frozenset(known[each] for each in form.choices("permissions", known))
    before = role.permissions if role else frozenset[Permission]()
    if not visit.grants.covers(Grants({"": ticked | before})):
        form.wrong("permissions", "roles.error.beyond")
    if not form.is_right:
        return _page(visit, form, role, 422)
    draft = RoleDraft(name, title, ticked)
    details = {"given": sorted(ticked - before), "taken": sorted(before - ticked)}
    entry = Entry("role.edit" if role else "role.add", f"role:{name}", "", details)

    def work(connection: Any) -> int:
        return save_role(connection, role.id if role else None, draft, visit.means.now_ms())

    try:
        role_id: int = await visit.change(entry, work)
    except RoleError as error:
        form.wrong("name", f"roles.error.{error.key}")
        return _page(visit, form, role, 422)
    return visit.go(f"/roles/{role_id}", "roles.saved")


def _page(visit: Visit, form: Form, role: Role | None, code: int = 200) -> bytes:
    place = 0 if visit.language == "fa" else 1
    groups = [
        (form_name, [(str(each), TITLES[each][place]) for each in permissions])
        for form_name, permissions in groupby(Permission, lambda each: each.partition(".")[0])
    ]
    return visit.page("role.html", code=code, form=form, role=role, groups=groups)
