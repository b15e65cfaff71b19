"""The site that the sets stand for: its rules, and what its calibration expects of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from facegate.evaluation.identification import Rules
from facegate.identity.calibration import Calibration
from facegate.identity.threshold import SiteThreshold, site_threshold

FNIR_NEAR = 0.05
FNIR_AT_64 = 0.08


@dataclass(frozen=True, slots=True)
class Goals:
    """What FNIR is to stay under: with faces of 96 pixels and more by set, and of 64 over all."""

    near: float = FNIR_NEAR
    near_by_set: Mapping[str, float] = field(default_factory=dict)
    at_64: float = FNIR_AT_64


@dataclass(frozen=True, slots=True)
class Siting:
    """How the gallery is searched; the threshold follows its size unless it is ``fixed``.

    ``fpir`` is the share of strangers' tracks that may be named, 0..1.
    """

    calibration: Calibration
    fpir: float
    fixed: float | None
    min_margin: float
    min_probes: int
    references: int

    def rules(self, subjects: int, templates: int) -> Rules:
        """Return the rules for a gallery of so many subjects and templates."""
        site = self._threshold(subjects, templates, self.fixed)
        return Rules(
            site.threshold,
            self._origin(site),
            site.expected_fpir,
            self.min_margin,
            self.min_probes,
            self.references,
        )

    def expected_fpir(self, subjects: int, templates: int, threshold: float) -> float:
        """Return what the calibration expects of another threshold, 0..1."""
        return self._threshold(subjects, templates, threshold).expected_fpir

    def _threshold(self, subjects: int, templates: int, fixed: float | None) -> SiteThreshold:
        return site_threshold(
            self.calibration, subjects=subjects, templates=templates, fpir=self.fpir, fixed=fixed
        )

    def _origin(self, site: SiteThreshold) -> str:
        if site.fixed:
            return "as given"
        told = f"the site's for FPIR {self.fpir:g}"
        return told if site.supported else f"{told}, which the calibration does not support"
