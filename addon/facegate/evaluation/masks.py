"""The mask classifier on labeled pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from facegate.decision.evidence import MASK_LIMIT
from facegate.domain import MaskClassifier
from facegate.evaluation.instruments import Instruments
from facegate.evaluation.labels import WITH_MASK, Sample
from facegate.evaluation.looking import picture_of, the_face
from facegate.evaluation.statistics import Rate, rate
from facegate.face.align import align


@dataclass(frozen=True, slots=True)
class Masked:
    """One picture: ``worn`` is 0..1, None where no face was found."""

    sample: str
    masked: bool
    worn: float | None


@dataclass(frozen=True, slots=True)
class Masks:
    """Errors among the faces that were found, and faces that were not.

    ``missed``: masks that were not seen. ``invented``: bare faces taken for masked ones.
    """

    wrong: Rate
    missed: Rate
    invented: Rate
    masked_not_found: Rate
    bare_not_found: Rate


def classify(
    samples: Iterable[Sample], instruments: Instruments, classifier: MaskClassifier
) -> tuple[Masked, ...]:
    """Return what the classifier says of each picture."""
    found = []
    for sample in samples:
        image = picture_of(sample)
        face = the_face(image, instruments.detector.detect(image))
        worn = None if face is None else classifier.worn(align(image, face.landmarks))
        found.append(
            Masked(f"{sample.set_name}/{sample.path.name}", sample.label == WITH_MASK, worn)
        )
    return tuple(found)


def count(found: Sequence[Masked]) -> Masks:
    """Return the errors among classified pictures."""
    masked = [each.worn for each in found if each.masked]
    bare = [each.worn for each in found if not each.masked]
    missed = sum(worn is not None and worn < MASK_LIMIT for worn in masked)
    invented = sum(worn is not None and worn >= MASK_LIMIT for worn in bare)
    lost = sum(worn is None for worn in masked), sum(worn is None for worn in bare)
    seen = len(masked) - lost[0], len(bare) - lost[1]
    return Masks(
        rate(missed + invented, sum(seen)),
        rate(missed, seen[0]),
        rate(invented, seen[1]),
        rate(lost[0], len(masked)),
        rate(lost[1], len(bare)),
    )
