"""Templates in the database: their versions, who saved them, and whether they are in use.

Saving makes a new version and leaves the old ones, since messages say by which they were
made. Every function is for a transaction of its caller: all that it does is done, or nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    RowMapping,
    Select,
    insert,
    select,
    true,
    update,
)

from core.bulk import as_rows, unfolded
from core.policies import from_settings, store_policy
from core.tables import send_policies, template_versions, templates
from core.templates.checks import DefinitionError, check, checked_name
from core.templates.codec import read_definition, write_definition
from core.templates.types import Definition, OnEvents, Version
from core.text import nearest_hint


class TemplateError(ValueError):
    """Something cannot be done to a template, in words for whoever asked for it."""


class Draft(NamedTuple):
    """What somebody wants saved."""

    utility: str
    name: str
    definition: Definition
    body: str
    by: str
    now: int
    """UTC milliseconds."""


class Template(NamedTuple):
    """A template as it stands."""

    id: int
    enabled: bool
    created_at: int
    changed_at: int
    changed_by: str
    newest: Version


class Saved(NamedTuple):
    """One of its versions, and who made it."""

    version: Version
    saved_at: int
    saved_by: str


class TemplateFilter(NamedTuple):
    """Which templates are listed; None: whichever."""

    utility: str | None = None
    enabled: bool | None = None
    topic: str | None = None
    event: str | None = None
    """Those made of this kind of event."""


def add(connection: Connection, draft: Draft, *, enabled: bool = False) -> Version:
    """Save a new template. Raises ``DefinitionError``, ``TemplateError`` for a taken name."""
    draft = draft._replace(name=checked_name(draft.name))
    check(draft.definition)
    if find(connection, draft.utility, draft.name) is not None:
        raise TemplateError(
            f"{draft.utility} has a template {draft.name!r} already; choose another name"
        )
    row = {
        "utility": draft.utility,
        "name": draft.name,
        "version": 1,
        "topic": draft.definition.topic,
        "required": draft.definition.required,
        "enabled": enabled,
        # What its schedule names before it was made is past.
        "scheduled_until": draft.now,
        "created_at": draft.now,
        "changed_at": draft.now,
        "changed_by": draft.by,
    }
    template_id = connection.execute(insert(templates).values(row).returning(templates.c.id))
    return _save(connection, template_id.scalar_one(), 1, draft)


def edit(connection: Connection, based_on: Version, draft: Draft) -> Version:
    """Save ``draft`` as the version after ``based_on``; the same words and settings are none.

    Its utility and name stay. Raises ``DefinitionError``, and ``TemplateError`` when somebody
    else has saved a version meanwhile.
    """
    check(draft.definition)
    if (draft.definition, draft.body) == (based_on.definition, based_on.body):
        return based_on
    draft = draft._replace(utility=based_on.utility, name=based_on.name)
    number = based_on.version + 1
    changed = {
        "version": number,
        "topic": draft.definition.topic,
        "required": draft.definition.required,
        "changed_at": draft.now,
        "changed_by": draft.by,
    }
    was, now = based_on.definition, draft.definition
    if (was.produce, was.trigger) != (now.produce, now.trigger):
        # What the new schedule names before it was made is past.
        changed["scheduled_until"] = draft.now
    statement = (
        update(templates)
        .where(templates.c.id == based_on.template_id, templates.c.version == based_on.version)
        .values(changed)
    )
    if not connection.execute(statement).rowcount:
        raise TemplateError(
            f"{based_on.name!r} was changed by somebody else meanwhile; look at it and begin again"
        )
    return _save(connection, based_on.template_id, number, draft)


def set_enabled(
    connection: Connection, template_id: int, *, enabled: bool, by: str, now: int
) -> bool:
    """Let a template make messages, or no more; whether that is a change.

    What its schedule names while it was disabled is not made up for.
    """
    changed = {"enabled": enabled, "changed_at": now, "changed_by": by}
    if enabled:
        changed["scheduled_until"] = now
    statement = (
        update(templates)
        .where(templates.c.id == template_id, templates.c.enabled.is_not(enabled))
        .values(changed)
    )
    return bool(connection.execute(statement).rowcount)


def find(connection: Connection, utility: str, name: str) -> Template | None:
    """The template of that name."""
    mine = (templates.c.utility == utility) & (templates.c.name == checked_name(name))
    found = connection.execute(_NEWEST.where(mine)).mappings().first()
    return None if found is None else _template(found)


def of_id(connection: Connection, template_id: int) -> Template | None:
    """The template of that id."""
    found = connection.execute(_NEWEST.where(templates.c.id == template_id)).mappings().first()
    return None if found is None else _template(found)


def named(connection: Connection, utility: str, name: str) -> Template:
    """As ``find``; raises ``TemplateError``, with the nearest name, where there is none."""
    try:
        found = find(connection, utility, name)
    except DefinitionError:  # a name that none can have
        found = None
    if found is None:
        mine = select(templates.c.name).where(templates.c.utility == utility)
        hint = nearest_hint(name, connection.scalars(mine)) or "`peyk template add` makes one"
        raise TemplateError(f"{utility} has no template {name!r}; {hint}")
    return found


def check_named_anywhere(connection: Connection, name: str) -> None:
    """Raise ``TemplateError``, with the nearest name, where no utility has such a template."""
    known = set(connection.scalars(select(templates.c.name)))
    if name not in known:
        hint = nearest_hint(name, known) or "there is none yet"
        raise TemplateError(f"there is no template {name!r}; {hint}")


def list_templates(
    connection: Connection,
    wanted: TemplateFilter = TemplateFilter(),  # noqa: B008 - immutable
) -> list[Template]:
    """Templates by utility and name."""
    conditions: list[ColumnElement[bool]] = [true()]
    if wanted.utility is not None:
        conditions.append(templates.c.utility == wanted.utility)
    if wanted.enabled is not None:
        conditions.append(templates.c.enabled.is_(wanted.enabled))
    if wanted.topic is not None:
        conditions.append(templates.c.topic == wanted.topic)
    ordered = _NEWEST.where(*conditions).order_by(templates.c.utility, templates.c.name)
    found = map(_template, connection.execute(ordered).mappings())
    return [each for each in found if wanted.event is None or _is_made_of(each, wanted.event)]


def versions(connection: Connection, template_id: int) -> list[Saved]:
    """All versions of a template, the newest first."""
    mine = _VERSIONS.where(template_versions.c.template_id == template_id)
    rows = connection.execute(mine.order_by(template_versions.c.version.desc())).mappings()
    return [Saved(_version(row), row["saved_at"], row["saved_by"]) for row in rows]


def load_versions(
    connection: Connection, keys: Collection[tuple[int, int]]
) -> dict[tuple[int, int], Version]:
    """Versions by template id and number; one statement, none for no keys."""
    if not keys:
        return {}
    rows = connection.execute(_BY_KEY, as_rows(keys)).mappings()
    return {(row["template_id"], row["version"]): _version(row) for row in rows}


# --- rows -----------------------------------------------------------------------------


def _save(connection: Connection, template_id: int, number: int, draft: Draft) -> Version:
    policy_id = store_policy(connection, draft.definition.policy)
    row = {
        "template_id": template_id,
        "version": number,
        "settings": write_definition(draft.definition),
        "body": draft.body,
        "policy_id": policy_id,
        "saved_at": draft.now,
        "saved_by": draft.by,
    }
    connection.execute(insert(template_versions).values(row))
    return Version(
        template_id, draft.utility, draft.name, number, draft.definition, draft.body, policy_id
    )


_OF_VERSION: Final = (
    template_versions.c.template_id,
    templates.c.utility,
    templates.c.name,
    template_versions.c.version,
    template_versions.c.settings,
    template_versions.c.body,
    template_versions.c.policy_id,
    send_policies.c.settings.label("policy"),
    template_versions.c.saved_at,
    template_versions.c.saved_by,
)
_JOINED: Final = template_versions.join(
    templates, templates.c.id == template_versions.c.template_id
).join(send_policies, send_policies.c.id == template_versions.c.policy_id)
_VERSIONS: Final = select(*_OF_VERSION).select_from(_JOINED)
_NEWEST: Final[Select[*tuple[object, ...]]] = (
    select(
        *_OF_VERSION,
        templates.c.enabled,
        templates.c.created_at,
        templates.c.changed_at,
        templates.c.changed_by,
    )
    .select_from(_JOINED)
    .where(template_versions.c.version == templates.c.version)
)
_keys = unfolded({"template_id": Integer(), "version": Integer()}, "wanted")
_BY_KEY: Final = _VERSIONS.join_from(
    _JOINED,
    _keys,
    (_keys.c.template_id == template_versions.c.template_id)
    & (_keys.c.version == template_versions.c.version),
)


def _version(row: RowMapping) -> Version:
    return Version(
        template_id=row["template_id"],
        utility=row["utility"],
        name=row["name"],
        version=row["version"],
        definition=read_definition(row["settings"], from_settings(row["policy"])),
        body=row["body"],
        policy_id=row["policy_id"],
    )


def _template(row: RowMapping) -> Template:
    newest = _version(row)
    times = (row["created_at"], row["changed_at"], row["changed_by"])
    return Template(newest.template_id, row["enabled"], *times, newest)


def _is_made_of(template: Template, event: str) -> bool:
    trigger = template.newest.definition.trigger
    return isinstance(trigger, OnEvents) and event in trigger.kinds
