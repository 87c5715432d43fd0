"""What may stand in a path where it differs: the converters of werkzeug's rules."""

from __future__ import annotations

from werkzeug.routing import BaseConverter, ValidationError


class RowId(BaseConverter):
    """A number of a path, as ids are: no greater than a database can look for."""

    regex = "[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        """Read it; ``ValidationError``, which is no such page, for one beyond that."""
        number = int(value)
        if number >= 2**63:
            raise ValidationError
        return number


class Name(BaseConverter):
    """A text of a path."""

    regex = "[^/\0]{1,100}"
