"""Files that pages refer to: the stylesheet, small scripts, and the font where it is installed.

The font is the distribution's (Debian: ``fonts-vazirmatn-variable``), served from where its
package puts it; without it the reader's own fonts are used.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

FOLDER: Final = Path(__file__).parent / "static"
FONT: Final = "vazirmatn.ttf"
_FONTS: Final = (
    Path("/usr/share/fonts/truetype/vazirmatn/Vazirmatn[wght].ttf"),
    Path("/usr/share/fonts/vazirmatn-vf-fonts/Vazirmatn[wght].ttf"),
)
_KINDS: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
}


class File(NamedTuple):
    """A file, read once."""

    content: bytes
    kind: str
    version: str
    """Changes with the content, so that a browser may keep what it has."""


class Static:
    """Every file by its name: nothing else of the disk can be asked for."""

    def __init__(self) -> None:
        found = {path.name: path for path in FOLDER.iterdir() if path.suffix in _KINDS}
        font = next((path for path in _FONTS if path.is_file()), None)
        if font:
            found[FONT] = font
        self._files = {name: _read(path) for name, path in found.items()}

    def get(self, name: str) -> File | None:
        """A file, None for what is none."""
        return self._files.get(name)

    def address(self, name: str) -> str:
        """Where a page finds a file; ``KeyError`` for what is none."""
        return f"/desk/static/{name}?v={self._files[name].version}"

    @property
    def has_font(self) -> bool:
        """Whether the Persian font is served."""
        return FONT in self._files


def _read(path: Path) -> File:
    content = path.read_bytes()
    return File(content, _KINDS[path.suffix], sha256(content).hexdigest()[:12])
