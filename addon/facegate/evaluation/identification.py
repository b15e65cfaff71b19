"""Open-set identification: who is enrolled is to be named, and nobody else.

Every sample is searched twice: against the references of other samples, where its subject is
enrolled (mated), and with its subject left out of the gallery, as one who never enrolled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from facegate.domain import Identification, Template
from facegate.evaluation.conditions import Condition
from facegate.evaluation.labels import Sample
from facegate.evaluation.looking import Presentation, Probes
from facegate.face.quality import pose
from facegate.identity.evidence import identify
from facegate.identity.gallery import Gallery


@dataclass(frozen=True, slots=True)
class Rules:
    """When the engine names somebody, and by how many references a subject.

    ``origin`` tells whose the threshold is, ``expected_fpir`` how many of strangers' tracks it is
    expected to name (0..1). ``min_probes`` is for tracks of clips, a picture has one.
    """

    threshold: float
    origin: str
    expected_fpir: float
    min_margin: float
    min_probes: int
    references: int


@dataclass(frozen=True, slots=True)
class Search:
    """One search of the gallery.

    ``mate`` is the enrolled subject that it should find, None where nobody should be named.
    ``height`` (pixels), ``quality`` (0..1) and ``yaw`` (degrees from the front) are medians over
    the probes, 0 where no face was found.
    """

    sample: Sample
    condition: Condition
    mate: str | None
    height: float
    quality: float
    yaw: float
    found: Identification

    @property
    def right(self) -> bool:
        """Whether the mate was named."""
        return self.mate is not None and self.found.subject_id == self.mate

    @property
    def wrong(self) -> bool:
        """Whether somebody else was named."""
        return self.found.subject_id not in (None, self.mate)

    def reaches(self) -> float:
        """Return the score up to which a threshold lets the best candidate be named.

        -1 where margin or probes forbid it at any threshold.
        """
        found = self.found
        if found.probes < found.min_probes or found.margin < found.min_margin:
            return -1.0
        return found.score


class Enrolled:
    """References of all subjects, and a gallery in which one subject at a time is exchanged.

    The references of a subject are its first samples in the order given; of a clip it is the
    largest face. Samples of several people are never references.
    """

    def __init__(self, shown: Iterable[Presentation], model_id: str, most: int) -> None:
        self._most = most
        self._model_id = model_id
        self._held: dict[str, list[tuple[Sample, Template]]] = {}
        for each in shown:
            subject = each.sample.of_one
            if subject is None or not each.tracks or each.condition is not Condition.AS_GIVEN:
                continue
            held = self._held.setdefault(subject, [])
            best = max(each.tracks[0], key=lambda probe: probe.detection.box.height)
            held.append((each.sample, Template(str(len(held)), subject, model_id, best.embedding)))
        self._gallery = Gallery(model_id)
        self._gallery.replace(
            template for subject in self._held for template in self._references(subject, None)
        )

    @property
    def subjects(self) -> int:
        """How many are enrolled."""
        return len(self._held)

    @property
    def templates(self) -> int:
        """How many references are held."""
        return sum(min(self._most, len(held)) for held in self._held.values())

    def mated(self, probes: Probes, subject: str, sample: Sample, rules: Rules) -> Identification:
        """Search with ``subject`` enrolled by other samples than ``sample``."""
        with self._changed({subject: self._references(subject, sample)}) as gallery:
            return _search(probes, gallery, sample, rules)

    def unmated(self, probes: Probes, sample: Sample, rules: Rules) -> Identification:
        """Search with nobody enrolled who is in ``sample``."""
        with self._changed(dict.fromkeys(sorted(sample.subjects), ())) as gallery:
            return _search(probes, gallery, sample, rules)

    def has_other(self, subject: str, sample: Sample) -> bool:
        """Whether a subject can be enrolled by other samples than ``sample``."""
        return bool(self._references(subject, sample))

    def likeness(self, probes: Probes, subject: str) -> float:
        """Return the cosine of a track's newest probe to a subject's nearest reference."""
        references = self._references(subject, None)
        if not references:
            return -1.0
        return max(float(probes[-1].embedding @ each.embedding) for each in references)

    def _references(self, subject: str, without: Sample | None) -> tuple[Template, ...]:
        held = self._held.get(subject, [])
        return tuple(template for sample, template in held if sample != without)[: self._most]

    @contextmanager
    def _changed(self, exchanged: dict[str, tuple[Template, ...]]) -> Iterator[Gallery]:
        """Give the gallery with other references of some subjects."""
        for subject, templates in exchanged.items():
            self._gallery.put(subject, templates)
        try:
            yield self._gallery
        finally:
            for subject in exchanged:
                self._gallery.put(subject, self._references(subject, None))


def searches(shown: Sequence[Presentation], enrolled: Enrolled, rules: Rules) -> tuple[Search, ...]:
    """Return every search that the presentations allow.

    A subject without a second sample is searched for as never enrolled only. Of a picture of
    several people each face is one who never enrolled, where nobody of them is; and each of them
    is to be found by the face that is most like it.
    """
    return tuple(search for each in shown for search in _of(each, enrolled, rules))


def _of(shown: Presentation, enrolled: Enrolled, rules: Rules) -> Iterator[Search]:
    sample = shown.sample

    def told(mate: str | None, probes: Probes, found: Identification) -> Search:
        measured = [(p.detection.box.height, p.quality, abs(pose(p.detection)[0])) for p in probes]
        height, quality, yaw = np.median(measured or [(0.0, 0.0, 0.0)], axis=0).tolist()
        return Search(sample, shown.condition, mate, height, quality, yaw, found)

    for probes in shown.tracks:
        yield told(None, probes, enrolled.unmated(probes, sample, rules))
    if sample.of_one is None:
        faces = _assigned(shown, enrolled)
    else:
        faces = {sample.of_one: shown.tracks[0] if shown.tracks else ()}
    for subject, probes in faces.items():
        if enrolled.has_other(subject, sample):
            yield told(subject, probes, enrolled.mated(probes, subject, sample, rules))


def _assigned(shown: Presentation, enrolled: Enrolled) -> dict[str, Probes]:
    """Give each subject of a picture the face most like it that no other is more like."""
    order = sorted(
        (
            (-enrolled.likeness(probes, subject), subject, index)
            for subject in shown.sample.subjects
            for index, probes in enumerate(shown.tracks)
        ),
    )
    faces: dict[str, Probes] = dict.fromkeys(sorted(shown.sample.subjects), ())
    taken: set[int] = set()
    for _, subject, index in order:
        if not faces[subject] and index not in taken:
            faces[subject] = shown.tracks[index]
            taken.add(index)
    return faces


def _search(probes: Probes, gallery: Gallery, sample: Sample, rules: Rules) -> Identification:
    return identify(
        probes,
        gallery,
        threshold=rules.threshold,
        min_margin=rules.min_margin,
        min_probes=rules.min_probes if sample.is_clip else 1,
    )
