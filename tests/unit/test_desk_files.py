"""The desk's words, templates and colours: what can be told without running a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from gateway.web.desk import navigation, static
from gateway.web.desk.rendering import FOLDER as TEMPLATES
from gateway.web.desk.static import FOLDER as STATIC
from gateway.web.desk.texts import ENGLISH, FOLDER, PERSIAN, Texts

MODULES = Path(static.__file__).parent
_T = re.compile(r"""\b(?:t\(|label\[)\s*["']([a-z_]+(?:\.[a-z0-9_]+)+)["']\s*[,)\]]""")
_SAID = re.compile(
    r"""(?:\.wrong\(\s*[^,()]+,\s*|\.say\(\s*|\.go\([^()]*?,\s*)["']([a-z_]+(?:\.[a-z0-9_]+)+)["']"""
)
LEAST_CONTRAST = 4.5


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_have_every_text() -> None:
    """Each filled in with the same values, and none left without words."""
    catalogues = Texts().catalogues
    persian, english = catalogues[PERSIAN], catalogues[ENGLISH]
    assert persian.keys() == english.keys()
    for key, text in persian.items():
        assert text.strip(), key
        assert english[key].strip(), key
        assert _fields(text) == _fields(english[key]), key
    files = {file.name.split(".")[0] for file in FOLDER.glob("*.fa.toml")}
    assert files == {file.name.split(".")[0] for file in FOLDER.glob("*.en.toml")}


def test_whatever_is_said_is_in_the_catalogue() -> None:
    """By templates and by handlers; keys that are put together are their pages' own tests'."""
    known = set(Texts().catalogues[PERSIAN])
    said = {
        (file.name, key)
        for folder, pattern, kind in ((TEMPLATES, _T, "*.html"), (MODULES, _SAID, "*.py"))
        for file in folder.glob(kind)
        for key in pattern.findall(file.read_text(encoding="utf-8"))
    }
    assert said
    assert sorted(each for each in said if each[1] not in known) == []
    shown = {f"nav.{group.key}" for group in navigation.GROUPS}
    shown |= {f"nav.{item.key}" for group in navigation.GROUPS for item in group.items}
    assert shown <= known


def test_templates_hold_no_script_and_no_style() -> None:
    """The browser would refuse both; nothing is taken from another host, nothing is unescaped."""
    for file in TEMPLATES.glob("*.html"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), file.name
        assert not re.search(r"""\sstyle\s*=|<style|\son[a-z]+\s*=|javascript:""", text), file.name
        assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", text), file.name
        assert not re.search(r"\|\s*safe\b|autoescape\s+false", text), file.name


def _colours(theme: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]{6})", theme))


def _themes() -> Iterator[tuple[str, dict[str, str]]]:
    css = (STATIC / "desk.css").read_text(encoding="utf-8")
    light = _colours(css.partition("@media")[0])
    dark = _colours(css.partition("prefers-color-scheme: dark)")[2].partition("\n}")[0])
    assert dark.keys() == light.keys()
    yield "light", light
    yield "dark", dark


def _luminance(colour: str) -> float:
    """WCAG 2.1: relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("name", "theme"), list(_themes()))
def test_colours_have_contrast(name: str, theme: dict[str, str]) -> None:
    """WCAG AA for text of any size, in the light and in the dark."""
    pairs = [(ink, on) for ink in ("ink", "soft", "link") for on in ("back", "card", "mark")]
    pairs += [("on-main", "main"), ("main", "card")]
    pairs += [(each, f"{each}-back") for each in ("good", "bad", "warn")]
    pairs += [(each, on) for each in ("good", "bad", "warn", "focus") for on in ("back", "card")]
    for ink, on in pairs:
        one, other = sorted((_luminance(theme[ink]), _luminance(theme[on])), reverse=True)
        contrast = (one + 0.05) / (other + 0.05)
        assert contrast >= LEAST_CONTRAST, (name, ink, on, round(contrast, 2))


def test_the_best_font_that_is_installed_is_served_whole(tmp_path: Path) -> None:
    """Its stylesheet and every file that this names; without a package no page asks for any."""
    assert static.Static(tmp_path).font == ""
    noto = tmp_path / "truetype" / "noto"
    noto.mkdir(parents=True)
    (noto / "NotoSansArabic-Regular.ttf").write_bytes(b"regular")
    assert static.Static(tmp_path).font == ""
    (noto / "NotoSansArabic-Bold.ttf").write_bytes(b"bold")
    assert _faces(static.Static(tmp_path)) == [b"regular", b"bold"]
    vazirmatn = tmp_path / "truetype" / "vazirmatn"
    vazirmatn.mkdir()
    (vazirmatn / "Vazirmatn[wght].ttf").write_bytes(b"every weight")
    assert _faces(static.Static(tmp_path)) == [b"every weight"]


def _faces(files: static.Static) -> list[bytes]:
    sheet = files.get(files.font)
    assert sheet
    found = [files.get(name) for name in re.findall(r'url\("([^"]+)"\)', sheet.content.decode())]
    return [file.content for file in found if file]
