"""HTML pages: Jinja2 templates of this package, escaped, in Persian, without scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.text import persian_digits
from gateway.sandbox import jalali, jalali_time, rial

FOLDER = Path(__file__).parent / "templates"


class Pages:
    """The templates, each compiled once."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined
        )
        self._environment.filters.update(
            rial=rial, fa=persian_digits, jalali=jalali, jalali_time=jalali_time
        )
        self.style = (FOLDER / "style.css").read_bytes()

    def render(self, name: str, /, **values: Any) -> bytes:
        """One page, in UTF-8."""
        return self._environment.get_template(name).render(values).encode()
