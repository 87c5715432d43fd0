"""The OpenAPI 3.1 document, made of the same routes and models that requests go by."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from pydantic.json_schema import JsonSchemaMode, models_json_schema

from gateway.web.api import problems
from gateway.web.api.models import Model, Nothing, ProblemBody
from gateway.web.api.problems import KINDS
from gateway.web.api.routes import Route, Routes

_REF: Final = "#/components/schemas/{model}"
_PART: Final = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
_ANY: Final = ("unauthorised", "forbidden", "too-many", "failed", "unavailable")
VERSION: Final = "1"
"""Of the API, as in its paths: which release serves it is told to nobody without a token."""
_DESCRIPTION: Final = """\
Everything is JSON in UTF-8. Each request carries a token: `Authorization: Bearer TOKEN`
(`peyk token add`). Ids are texts, instants UTC, money integer rial. What is refused is answered
with problem details (RFC 9457), titles and details in English and Persian. Every request that
changes something takes an `Idempotency-Key`: sent again with the same key it is answered again,
and nothing is done twice."""
_KEY: Final[Mapping[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Made by the sender, one for each thing to be done: a UUID, or its own id.",
    "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,200}$"},
}


def document(resources: Sequence[Routes], url: str) -> dict[str, Any]:
    """The document; ``url`` is where the site is reached, "" where that is not known."""
    routes = [route for resource in resources for route in resource]
    schemas, names = _schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(path_of(route), {})[route.method.lower()] = _operation(
            route, schemas, names
        )
    for route in routes:
        schemas.pop(names.get((route.query, "validation"), ""), None)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Peyk", "version": VERSION, "description": _DESCRIPTION},
        "servers": [{"url": f"{url.rstrip('/')}/api/v1"}],
        "tags": [{"name": each.tag, "description": each.title} for each in resources],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def as_bytes(made: Mapping[str, Any]) -> bytes:
    """The document as it is served."""
    return json.dumps(made, ensure_ascii=False).encode()


def path_of(route: Route) -> str:
    """A route's path as OpenAPI writes it: ``/messages/{message}``."""
    return _PART.sub(r"{\g<name>}", route.path)


def statuses_of(route: Route) -> list[int]:
    """What may be answered in the place of what was asked for."""
    kinds = [*_ANY, *route.problems]
    named = {*route.query.model_fields, *(route.body.model_fields if route.body else ())}
    if "<" in route.path or "utility" in named:
        kinds.append("not-found")
    if route.changes:
        kinds += ["in-progress", "key-reused"]
    if route.body is not None:
        kinds += ["malformed", "media-type", "too-large", "invalid"]
    if route.query is not Nothing:
        kinds += ["malformed", "invalid"]
    return sorted({KINDS[kind].status for kind in kinds})


def _schemas(
    routes: Iterable[Route],
) -> tuple[dict[str, Any], dict[tuple[Any, str], str]]:
    """Every model's schema by name, and those names by model and direction."""
    wanted: dict[tuple[type[Model], JsonSchemaMode], None] = {(ProblemBody, "serialization"): None}
    for route in routes:
        wanted[route.query, "validation"] = None
        wanted[route.answers, "serialization"] = None
        if route.body is not None:
            wanted[route.body, "validation"] = None
    found, whole = models_json_schema(list(wanted), ref_template=_REF)
    names: dict[tuple[Any, str], str] = {
        key: schema["$ref"].rpartition("/")[2] for key, schema in found.items()
    }
    return dict(whole.get("$defs", {})), names


def _operation(
    route: Route, schemas: Mapping[str, Any], names: Mapping[tuple[Any, str], str]
) -> dict[str, Any]:
    asked = schemas[names[route.query, "validation"]]
    parameters = [*_of_path(route), *_of_query(asked, route.example)]
    if route.takes_key:
        parameters.append(dict(_KEY))
    refused = {"$ref": _REF.format(model=names[ProblemBody, "serialization"])}
    made: dict[str, Any] = {
        "operationId": route.operation,
        "tags": [route.tag],
        "summary": route.summary,
        "description": f"{route.description}\n\nPermission: `{route.needs.value}`.".strip(),
        "x-permission": route.needs.value,
        "parameters": parameters,
        "responses": {
            str(route.status): {
                "description": HTTPStatus(route.status).phrase,
                "content": _json(names[route.answers, "serialization"]),
            },
            **{
                str(status): {
                    "description": HTTPStatus(status).phrase,
                    "content": {problems.TYPE: {"schema": refused}},
                }
                for status in statuses_of(route)
            },
        },
    }
    if route.body is not None:
        content = _json(names[route.body, "validation"])
        if route.example:
            content["application/json"]["example"] = dict(route.example)
        made["requestBody"] = {"required": True, "content": content}
    return made


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(model=name)}}}


def _of_path(route: Route) -> list[dict[str, Any]]:
    kinds: Mapping[str | None, dict[str, Any]] = {
        "id": {"type": "string", "pattern": "^[0-9]{1,19}$"},
        None: {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[^/\\x00]+$"},
    }
    return [
        {"name": each["name"], "in": "path", "required": True, "schema": kinds[each["kind"]]}
        for each in _PART.finditer(route.path)
    ]


def _of_query(schema: Mapping[str, Any], example: Mapping[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", ())
    found = []
    for name, each in schema.get("properties", {}).items():
        parameter = {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": _not_null(each),
        }
        if "description" in each:
            parameter["description"] = each["description"]
        if name in example:
            parameter["example"] = example[name]
        found.append(parameter)
    return found


def _not_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter is left out rather than null."""
    kept = {
        key: value
        for key, value in schema.items()
        if key not in ("title", "description") and not (key == "default" and value is None)
    }
    choices = [each for each in kept.pop("anyOf", []) if each != {"type": "null"}]
    if len(choices) == 1:
        return {**choices[0], **kept}
    return {**kept, **({"anyOf": choices} if choices else {})}
