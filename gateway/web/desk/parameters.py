"""What a report of the utility's own asks for, in a form: fields ``p_NAME``."""

from __future__ import annotations

from typing import Final

from core.reporting.sources import parameter_value
from core.reporting.types import ParameterType, Source
from gateway.web.desk.forms import Form

_WRONG: Final = {ParameterType.DATE: "form.date"}


def parameters_of(form: Form, source: Source) -> dict[str, object]:
    """What was given for each; what is empty is left to the report's default."""
    found: dict[str, object] = {}
    for each in source.parameters:
        field = f"p_{each.name}"
        said = form.text(field, most=200, required=each.default is None)
        if not said:
            continue
        try:
            found[each.name] = parameter_value(each.type, said)
        except ValueError:
            form.wrong(field, _WRONG.get(each.type, "form.number"))
    return found
