"""What may stand in a path where it differs: the converters of werkzeug's rules."""

from __future__ import annotations

from typing import Final

from werkzeug.routing import BaseConverter, ValidationError


class _Id(BaseConverter):
    """A number of a path, as ids are."""

    regex = "[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        number = int(value)
        if number >= 2**63:
            raise ValidationError
        return number


class _Name(BaseConverter):
    """A text of a path."""

    regex = "[^/\0]{1,100}"


CONVERTERS: Final = {"id": _Id, "default": _Name}
"""By what stands before the colon."""
