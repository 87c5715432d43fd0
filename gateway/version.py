"""Which version of Peyk this is."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """The version that was installed."""
    try:
        return metadata.version("peyk")
    except metadata.PackageNotFoundError:
        return "0 (not installed)"
