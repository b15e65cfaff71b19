"""The models of one engine: opened at its start, with what is wrong with them, and then watched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from facegate.domain import Clock
from facegate.errors import ModelError
from facegate.face.integrity import IntegrityWatch, ModelFault, WatchedFile
from facegate.face.preparation import get_ready
from facegate.face.weights import Model
from facegate.protocol import ModelProblem

_RESTART = "then restart the engine"


class Library:
    """Opens models; their prepared graphs are kept in the folder ``cache``.

    ``folders`` are looked at before the installed packages.
    """

    def __init__(self, cache: Path, folders: Sequence[Path] = ()) -> None:
        self._cache = cache
        self._folders = tuple(folders)
        self._faults: list[ModelFault] = []
        self._files: list[WatchedFile] = []

    @property
    def faults(self) -> tuple[ModelFault, ...]:
        """What could not be opened; it lasts until the engine is started again."""
        return tuple(self._faults)

    def open[T](
        self, model: Model, build: Callable[[bytes], T], *, wanted: bool = True
    ) -> T | None:
        """Return what ``build`` makes of a model's prepared graph; None with the fault noted.

        That a model which is not ``wanted`` is missing is no fault. One that has to be downloaded
        may be missing without stopping faces; one that is there and not whole stops them.
        """
        try:
            ready = get_ready(model, self._cache, self._folders)
            built = build(ready.graph)
        except ModelError as err:
            missing = err.problem is ModelProblem.MISSING
            stops = not missing or model.comes_with_facegate
            if wanted or stops:
                text = f"{err}; {_RESTART}"
                self._faults.append(ModelFault(model, err.problem, text, stops))
            return None
        source = ready.source
        again = f"put the published file back: {model.remedy}"
        self._files.append(WatchedFile(model, source.path, source.file.sha256, again))
        if ready.kept is not None and source.file.prepared is not None:
            anew = "restart the engine, which prepares it again"
            self._files.append(WatchedFile(model, ready.kept, source.file.prepared, anew))
        return built

    def watch(self, clock: Clock) -> IntegrityWatch:
        """Return the watch over everything that was opened."""
        return IntegrityWatch(self._files, clock)
