"""The repository's own files, without environments, caches and what runs leave behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / "addon" / "facegate"
INTEGRATION = ROOT / "custom_components" / "facegate"

_DOTTED_BUT_OURS = {".ci", ".github"}


def our_files(folder: Path = ROOT) -> Iterator[Path]:
    """Yield the files that may be committed, in order; hidden folders are skipped but for CI's."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if _is_ours(path.name):
                yield from our_files(path)
        else:
            yield path


def _is_ours(name: str) -> bool:
    if name.startswith("."):
        return name in _DOTTED_BUT_OURS
    return name != "__pycache__" and not name.endswith(".egg-info")
