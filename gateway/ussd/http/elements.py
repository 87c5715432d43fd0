"""XML of a small document as a tree, without anything that could make it grow.

No document type is read at all: without one there are no entities but the five that XML has,
and nothing is fetched. ``defusedxml`` would do the same with the parser of the standard
library; its last release is from 2021.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from gateway.ussd.http.dialect import Rejected

MOST_DEPTH = 12
MOST_ELEMENTS = 200


@dataclass(slots=True)
class Element:
    """One element; names are without their namespace's prefix."""

    name: str
    attributes: Mapping[str, str]
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def child(self, name: str) -> Element | None:
        """The first child of that name."""
        return next(self.every(name), None)

    def every(self, name: str) -> Iterator[Element]:
        """All children of that name."""
        return (each for each in self.children if each.name == name)

    def get(self, attribute: str) -> str:
        """An attribute; ``""`` when it is not there."""
        return self.attributes.get(attribute, "")


def parse(body: bytes) -> Element:
    """The root of a document in UTF-8. Raises ``Rejected``."""
    builder = _Builder()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = builder.refuse
    parser.EntityDeclHandler = builder.refuse
    parser.ExternalEntityRefHandler = builder.refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(body, True)  # noqa: FBT003 - expat takes it by place only
    except expat.ExpatError as error:
        raise Rejected(f"the body is not XML: {expat.ErrorString(error.code)}") from None
    return builder.root.children[0]


class _Builder:
    def __init__(self) -> None:
        self.root = Element("", {})
        self._open = [self.root]
        self._elements = 0

    def refuse(self, *_declaration: object) -> int:
        raise Rejected("a document type or an entity is declared: that is not allowed")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if len(self._open) > MOST_DEPTH or self._elements > MOST_ELEMENTS:
            raise Rejected("there are too many elements, or they are nested too deep")
        local = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        element = Element(name.rpartition(":")[2], local)
        self._open[-1].children.append(element)
        self._open.append(element)

    def end(self, _name: str) -> None:
        self._open.pop()

    def data(self, text: str) -> None:
        self._open[-1].text += text
