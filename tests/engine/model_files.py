"""An installation of its own: every model's file where a test may damage it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import os
from pathlib import Path
import shutil
from typing import Any

import pytest

from facegate.face import weights
from facegate.face.preparation import get_ready
from facegate.face.weights import MODELS, Model, ModelRole, locate


def delete(path: Path) -> None:
    path.unlink()


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def alter(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))


type Damage = Callable[[Path], None]

DAMAGES: tuple[Damage, ...] = (delete, truncate, alter)


@dataclass(frozen=True)
class Installation:
    """Where the files of the models are; ``data`` is the engine's data folder."""

    data: Path
    folder: Path
    sources: dict[str, Path]

    def options(self, chosen: dict[str, Any]) -> dict[str, Any]:
        """Return options with the folder of the models."""
        return {**chosen, "models": {"folder": str(self.folder)}}

    def prepare(self) -> dict[str, Path]:
        """Prepare every model that is there; return the kept graphs by the models' names."""
        kept = {}
        for model in MODELS:
            if model.name in self.sources:
                ready = get_ready(model, self.data / "models", (self.folder,))
                assert ready.kept is not None
                kept[model.name] = ready.kept
        return kept


@contextmanager
def damaged(path: Path, damage: Damage) -> Iterator[None]:
    """Damage a file, and put it back as it was."""
    content = path.read_bytes()
    damage(path)
    yield
    path.write_bytes(content)


def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, liveness: Path | None) -> Installation:
    """Copy every model's file, with those of liveness from a folder that has them."""
    packages, shipped, folder = (tmp_path / name for name in ("packages", "shipped", "folder"))
    shipped.mkdir()
    folder.mkdir()
    (tmp_path / "data" / "models").mkdir(parents=True)
    sources: dict[str, Path] = {}
    for model in MODELS:
        if model.role is not ModelRole.LIVENESS:
            sources[model.name] = _copy(model, packages, shipped)
        elif liveness is not None:
            sources[model.name] = Path(shutil.copy(locate(model, (liveness,)), folder))
    monkeypatch.setattr(weights, "SHIPPED", shipped)
    monkeypatch.syspath_prepend(packages)
    return Installation(tmp_path / "data", folder, sources)


def _copy(model: Model, packages: Path, shipped: Path) -> Path:
    """Copy a file that comes with FaceGate to where it is found before the true one."""
    source, (file,) = locate(model), model.files
    if file.shipped:
        return Path(shutil.copy(source, shipped))
    assert file.distribution is not None
    assert file.resource is not None
    told = packages / f"{file.distribution}-1.dist-info" / "METADATA"
    told.parent.mkdir(parents=True, exist_ok=True)
    told.write_text(f"Metadata-Version: 2.1\nName: {file.distribution}\nVersion: 1\n")
    target = packages / file.resource
    target.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(source, target))
