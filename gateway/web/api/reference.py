"""The reference for people: the same routes as a page, without a script or another host."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from core.access.permissions import TITLES
from gateway.web.api.openapi import VERSION, path_of, statuses_of
from gateway.web.api.problems import KINDS
from gateway.web.api.routes import Route, Routes

_DEEPEST: Final = 3
"""Steps of a field within a field."""
_FOLDER: Final = Path(__file__).parent / "templates"


def page_of(resources: Sequence[Routes]) -> bytes:
    """The page; takes a tenth of a second, for a thread."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["codes"] = _codes
    page = environment.get_template("reference.html").render(
        version=VERSION,
        resources=[
            {"tag": each.tag, "title": each.title, "routes": [_shown(route) for route in each]}
            for each in resources
        ],
        kinds=KINDS,
    )
    return page.encode()


def style() -> bytes:
    """What the page looks like."""
    return (_FOLDER / "reference.css").read_bytes()


def _codes(words: str) -> Markup:
    """A text in which what stands between backticks is code."""
    pieces = words.split("`")
    shown = (
        Markup("<code>{}</code>").format(p) if n % 2 else escape(p) for n, p in enumerate(pieces)
    )
    return Markup("").join(shown)


def _shown(route: Route) -> dict[str, Any]:
    return {
        "route": route,
        "path": path_of(route),
        "permission": TITLES[route.needs][1],
        "parameters": _fields(route.query),
        "body": _fields(route.body) if route.body else [],
        "answer": _fields(route.answers),
        "statuses": statuses_of(route),
        "curl": _curl(route),
    }


class Field(NamedTuple):
    """A line of a table."""

    name: str
    """``messages[].mobile``: of each of ``messages``."""
    type: str
    is_needed: bool
    words: str


def _fields(model: Any) -> list[Field]:
    """What a model has, and what is within that."""
    schema = model.model_json_schema()
    return list(_within(schema, schema.get("$defs", {}), ""))


def _within(schema: Mapping[str, Any], known: Mapping[str, Any], before: str) -> Iterator[Field]:
    for name, each in schema.get("properties", {}).items():
        whole = before + name
        needed = name in schema.get("required", ())
        yield Field(whole, _type(each, known), needed, each.get("description", ""))
        inner, mark = _inner(each, known)
        if inner is not None and whole.count(".") < _DEEPEST:
            yield from _within(inner, known, f"{whole}{mark}.")


def _inner(
    schema: Mapping[str, Any], known: Mapping[str, Any]
) -> tuple[Mapping[str, Any] | None, str]:
    """The object that a field is, or has many of."""
    for each in (schema, *schema.get("anyOf", ())):
        if each.get("type") == "array":
            return _inner(each.get("items", {}), known)[0], "[]"
        found = known.get(str(each.get("$ref", "")).rpartition("/")[2], {})
        if "properties" in found:
            return found, ""
    return None, ""


def _type(schema: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return _type(known.get(str(schema["$ref"]).rpartition("/")[2], {}), known)
    for together in ("anyOf", "oneOf"):
        if together in schema:
            return " or ".join(dict.fromkeys(_type(each, known) for each in schema[together]))
    if "enum" in schema or "const" in schema:
        said = schema.get("enum", [schema.get("const")])
        return ", ".join(json.dumps(each) for each in said)
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}), known)}"
    return str(schema.get("format") or schema.get("type", "anything"))


def _curl(route: Route) -> str:
    address = f"https://HOST/api/v1{path_of(route)}"
    if route.body is None and route.example:
        address += "?" + "&".join(f"{name}={value}" for name, value in route.example.items())
    lines = [f"curl -H 'Authorization: Bearer TOKEN' '{address}'"]
    if route.changes:
        lines[0] = lines[0].replace("curl", f"curl -X {route.method}", 1)
    if route.takes_key:
        lines.append("  -H 'Idempotency-Key: 5f0c1b9e'")
    if route.body is not None:
        lines.append("  -H 'Content-Type: application/json'")
        lines.append(f"  -d '{json.dumps(dict(route.example), ensure_ascii=False)}'")
    return " \\\n".join(lines)
