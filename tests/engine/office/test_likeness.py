"""Likeness: a new reference shows the person itself, and nobody who is enrolled already."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facegate.domain import Subject, Template, Vector
from facegate.errors import ConflictError, ImageError
from facegate.identity.gallery import Gallery
from facegate.office.likeness import DUPLICATE, check_outlier, look_alike
from facegate.office.roster import Roster
from facegate.register import Person

MODEL = "model-1"
ALIKE = 0.42


def at(cosine: float) -> Vector:
    """A face of this likeness to ``at(1)``."""
    face = np.zeros(128, np.float32)
    face[:2] = cosine, np.sqrt(1 - cosine**2)
    return face


def person(name: str, *faces: Vector, model: str = MODEL) -> Person:
    templates = (Template(f"{name}-{n}", name, model, face) for n, face in enumerate(faces))
    return Person(Subject(name, name, "resident", number=name), templates=tuple(templates))


@pytest.fixture
def roster() -> Roster:
    return Roster(Gallery(MODEL))


def test_the_nearest_of_the_references_tells_whether_it_is_the_same_person(roster: Roster) -> None:
    ann = roster.hold(person("ann", at(-0.5), at(0.5)))
    check_outlier(roster, ann, at(1))
    with pytest.raises(ImageError, match="somebody else than in the 1 kept before"):
        check_outlier(roster, roster.hold(person("ben", at(0.39))), at(1))
    check_outlier(roster, person("cleo"), at(1))


def test_references_of_another_model_say_nothing_of_who_it_is(roster: Roster) -> None:
    ann = roster.hold(person("ann", at(-1), model="model-0"))
    check_outlier(roster, ann, at(1))
    assert look_alike(roster, person("ben"), at(-1), alike=ALIKE) is None


@pytest.mark.parametrize(
    ("cosine", "told"), [(0.41, False), (0.43, True), (0.59, True), (-0.9, False)]
)
def test_somebody_near_is_told_from_the_limit_on(
    roster: Roster,
    cosine: float,
    told: bool,  # noqa: FBT001
) -> None:
    roster.hold(person("ann", at(cosine)))
    found = look_alike(roster, person("ben"), at(1), alike=ALIKE)
    assert (found is not None) is told
    if found is not None:
        assert found.subject_id == "ann"
        assert found.score == pytest.approx(cosine, abs=1e-6)


def test_who_is_as_near_as_one_person_to_itself_is_refused_unless_distinct(roster: Roster) -> None:
    roster.hold(person("ann", at(0.61)))
    with pytest.raises(ConflictError, match="seems to be enrolled as ann"):
        look_alike(roster, person("ben"), at(1), alike=ALIKE)
    found = look_alike(roster, person("ben"), at(1), alike=ALIKE, distinct=True)
    assert found is not None
    assert found.score > DUPLICATE


def test_a_high_limit_for_look_alikes_hides_no_duplicate(roster: Roster) -> None:
    roster.hold(person("ann", at(0.7)))
    with pytest.raises(ConflictError):
        look_alike(roster, person("ben"), at(1), alike=0.9)


def test_nobody_is_a_look_alike_of_itself(roster: Roster) -> None:
    ann = roster.hold(person("ann", at(1)))
    roster.hold(person("ben", at(0.5)))
    found = look_alike(roster, ann, at(1), alike=ALIKE)
    assert found is not None
    assert found.subject_id == "ben"


def test_people_need_photos_while_all_they_have_is_of_another_model(roster: Roster) -> None:
    old = roster.hold(person("ann", at(1), model="model-0"))
    roster.hold(person("ben", at(0)))
    roster.hold(person("cleo"))
    assert roster.need_photos == 1
    assert roster.needs_photos("ann")
    new = Template("new", "ann", MODEL, at(1))
    roster.hold(replace(old, templates=(*old.templates, new)))
    assert roster.need_photos == 0
    roster.hold(old)
    roster.drop("ann")
    assert roster.need_photos == 0
