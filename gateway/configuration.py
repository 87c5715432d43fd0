"""Reading a TOML file into a typed, immutable model, with errors an operator can act on.

Settings and profiles are both read here, so that a mistake in either is told the same
way: the file, the key, what was wrong, and the nearest name that would have been right.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from core.text import nearest_hint

Model = TypeVar("Model", bound=BaseModel)

_ONE_OF = frozenset({"enum", "literal_error"})
"""pydantic's errors of a word that is none of those there are."""


class Frozen(BaseModel):
    """The base of every configuration model: immutable, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ConfigError(Exception):
    """One mistake in a configuration file, in words for the operator.

    ``str()`` gives one line: ``file: key: what was wrong; hint``.
    """

    def __init__(self, file: Path, key: str, problem: str, hint: str = "") -> None:
        self.file = file
        self.key = key
        self.problem = problem
        self.hint = hint
        where = f"{file}: {key}" if key else str(file)
        super().__init__(f"{where}: {problem}" + (f"; {hint}" if hint else ""))


def read_toml(file: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises ``ConfigError`` when it is missing or malformed."""
    try:
        with file.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError:
        raise ConfigError(file, "", "there is no such file") from None
    except OSError as error:
        raise ConfigError(file, "", f"cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(file, "", f"is not valid TOML: {error}") from None


def read_model(file: Path, model: type[Model]) -> Model:
    """A TOML file as ``model``. Raises ``ConfigError`` for the first mistake in it."""
    return as_model(file, read_toml(file), model)


def as_model(file: Path, tables: dict[str, Any], model: type[Model], at: str = "") -> Model:
    """Tables already read from ``file`` as ``model``; ``at`` is the key they stand under."""
    try:
        return model.model_validate(tables)
    except ValidationError as error:
        raise _as_config_error(file, model, error, at) from None


def _as_config_error(
    file: Path, model: type[BaseModel], error: ValidationError, at: str
) -> ConfigError:
    found = error.errors(include_url=False)
    # A key that is misspelt is missing, too: that it is not known says more.
    first = next((each for each in found if each["type"] == "extra_forbidden"), found[0])
    path: list[int | str] = [at, *first["loc"]] if at else [*first["loc"]]
    if path[-1:] == ["[key]"]:
        # pydantic's own mark: the key itself stands before it.
        path.pop()
    key = _dotted(path)
    if first["type"] == "extra_forbidden":
        owner = _model_at(model, first["loc"][:-1])
        known = owner.model_fields if owner else ()
        return ConfigError(file, key, "unknown key", nearest_hint(str(first["loc"][-1]), known))
    if first["type"] == "missing":
        return ConfigError(file, key, "is missing and has no default")
    if first["type"] in _ONE_OF:
        words = re.findall("'([^']*)'", first["ctx"]["expected"])
        given = str(first["input"])
        return ConfigError(file, key, f"there is no {given!r}", nearest_hint(given, words))
    message = first["msg"].removeprefix("Value error, ")
    return ConfigError(file, key, message[:1].lower() + message[1:])


def _dotted(path: list[int | str]) -> str:
    """``binds.0.port`` as people write it: ``binds[1].port``, counting from one."""
    dotted = ""
    for step in path:
        if isinstance(step, int):
            dotted += f"[{step + 1}]"
        else:
            dotted += f".{step}" if dotted else step
    return dotted


def _model_at(model: type[BaseModel], path: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The model that holds the key at ``path``, looking through lists and mappings."""
    current: Any = model
    for step in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(step))
            # What is not a field is a place in a list or a key of a mapping of models.
            current = _inner_model(field.annotation) if field else current
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _inner_model(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = _inner_model(argument)
        if found is not None:
            return found
    return None
