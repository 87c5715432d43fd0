"""The reference for people: the same routes as a page, without a script or another host."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.access.permissions import TITLES
from gateway.version import version
from gateway.web.api.openapi import path_of, statuses_of
from gateway.web.api.problems import KINDS
from gateway.web.api.routes import Route, Routes

_FOLDER: Final = Path(__file__).parent / "templates"


class Reference:
    """The page and its style, made once."""

    def __init__(self, resources: Sequence[Routes]) -> None:
        environment = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        page = environment.get_template("reference.html")
        self.page = page.render(
            version=version(),
            resources=[
                {"tag": each.tag, "title": each.title, "routes": [_shown(route) for route in each]}
                for each in resources
            ],
            kinds=KINDS,
        ).encode()
        self.style = (_FOLDER / "reference.css").read_bytes()


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


def _fields(model: Any) -> list[tuple[str, str, bool, str]]:
    """Name, type, whether it is needed, and what is said of it."""
    schema = model.model_json_schema()
    return [
        (name, _type(each), name in schema.get("required", ()), each.get("description", ""))
        for name, each in schema.get("properties", {}).items()
    ]


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for together in ("anyOf", "oneOf"):
        if together in schema:
            return " or ".join(_type(each) for each in schema[together])
    if "enum" in schema or "const" in schema:
        return " | ".join(json.dumps(each) for each in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type", "anything"))


def _curl(route: Route) -> str:
    address = f"https://HOST/api/v1{path_of(route)}"
    if route.body is None and route.example:
        address += "?" + "&".join(f"{name}={value}" for name, value in route.example.items())
    lines = [f"curl -H 'Authorization: Bearer TOKEN' '{address}'"]
    if route.method != "GET":
        lines[0] = lines[0].replace("curl", f"curl -X {route.method}", 1)
        if not route.is_secret and not route.is_async:
            lines.append("  -H 'Idempotency-Key: 5f0c1b9e'")
    if route.body is not None:
        lines.append("  -H 'Content-Type: application/json'")
        lines.append(f"  -d '{json.dumps(dict(route.example), ensure_ascii=False)}'")
    return " \\\n".join(lines)
