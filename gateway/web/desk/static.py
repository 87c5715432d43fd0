"""Files that pages refer to: the stylesheet, small scripts, and a font where one is installed.

The font is the distribution's, served from where its package puts it: Vazirmatn (Debian 13:
``fonts-vazirmatn-variable``), else Noto Sans Arabic, which older ones have (Debian 12:
``fonts-noto-core``). Without either the reader's own fonts are used.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

FOLDER: Final = Path(__file__).parent / "static"
_FONTS: Final = (
    ("font.css", {"vazirmatn.ttf": "truetype/vazirmatn/Vazirmatn[wght].ttf"}),
    ("font.css", {"vazirmatn.ttf": "vazirmatn-vf-fonts/Vazirmatn[wght].ttf"}),
    (
        "font-noto.css",
        {
            "noto.ttf": "truetype/noto/NotoSansArabic-Regular.ttf",
            "noto-bold.ttf": "truetype/noto/NotoSansArabic-Bold.ttf",
        },
    ),
)
"""The best first: a stylesheet, and where packages put the files that it names."""
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

    def __init__(self, fonts: Path = Path("/usr/share/fonts")) -> None:
        """``fonts``: where the distribution's packages put theirs."""
        found = {path.name: path for path in FOLDER.iterdir() if path.suffix in _KINDS}
        self.font = ""
        """The stylesheet of the Persian font that is served; empty where none is installed."""
        for sheet, places in _FONTS:
            files = {name: fonts / place for name, place in places.items()}
            if all(path.is_file() for path in files.values()):
                self.font = sheet
                found |= files
                break
        self._files = {name: _read(path) for name, path in found.items()}

    def get(self, name: str) -> File | None:
        """A file, None for what is none."""
        return self._files.get(name)

    def address(self, name: str) -> str:
        """Where a page finds a file; ``KeyError`` for what is none."""
        return f"/desk/static/{name}?v={self._files[name].version}"


def _read(path: Path) -> File:
    content = path.read_bytes()
    return File(content, _KINDS[path.suffix], sha256(content).hexdigest()[:12])
