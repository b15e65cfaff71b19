"""How alike faces of different people are to a model: the upper tail of its impostor scores.

A file in ``data`` holds it for one or several model ids; ``training/calibration`` tells how it was
measured. Down to ``counted_fmr`` the false match rate was counted; below that it is extrapolated
from a fit to all pairs. The upper bound (95 %) covers which people happened to be measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
import json

import numpy as np

from facegate.errors import ModelError


@dataclass(frozen=True, slots=True)
class Calibration:
    """The false match rate of a model (share of comparisons of two people) by score, a cosine.

    ``scores`` rise; ``log_fmr`` and ``log_bound`` are the common logarithms of the rate of reaching
    each and of its upper bound. ``people`` and ``pairs`` are how many were compared;
    ``counted_fmr`` is the lowest rate of which enough pairs were seen to count it.
    """

    model_id: str
    people: int
    pairs: int
    counted_fmr: float
    scores: tuple[float, ...]
    log_fmr: tuple[float, ...]
    log_bound: tuple[float, ...]

    def fmr(self, score: float) -> float:
        """Return the false match rate, 0..1; beyond the last score it is that of the last."""
        return float(10 ** np.interp(score, self.scores, self.log_fmr))

    def fmr_bound(self, score: float) -> float:
        """Return the upper bound (95 %) of the false match rate, 0..1."""
        return float(10 ** np.interp(score, self.scores, self.log_bound))

    def score(self, fmr: float) -> float:
        """Return the lowest score whose false match rate is at most this; 1 where there is none."""
        wanted = float(np.log10(max(fmr, np.finfo(float).tiny)))
        if wanted < self.log_fmr[-1]:
            return 1.0
        return float(np.interp(-wanted, [-each for each in self.log_fmr], self.scores))


@cache
def calibration_of(model_id: str) -> Calibration:
    """Return a model's calibration; raises ``ModelError`` where it has none."""
    for path in files("facegate.identity").joinpath("data").iterdir():
        if path.name.endswith(".json"):
            read = json.loads(path.read_text(encoding="utf-8"))
            if model_id in read["models"]:
                return Calibration(
                    model_id,
                    people=int(read["people"]),
                    pairs=int(read["pairs"]),
                    counted_fmr=float(read["counted_fmr"]),
                    scores=tuple(read["scores"]),
                    log_fmr=tuple(read["log10_fmr"]),
                    log_bound=tuple(read["log10_fmr_bound"]),
                )
    raise ModelError(f"{model_id} has no calibration: no threshold can be told for it")
