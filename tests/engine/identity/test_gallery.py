"""The gallery holds exactly the templates it was given, of its own model."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from facegate.domain import Template, Vector
from facegate.identity.gallery import Gallery

MODEL = "sface"


def direction(angle: float) -> Vector:
    """Return a unit vector; the cosine of two is that of the angle between them."""
    vector = np.zeros(128, np.float32)
    vector[:2] = np.cos(angle), np.sin(angle)
    return vector


def template(subject: str, angle: float, model: str = MODEL) -> Template:
    return Template(f"{subject}{angle}", subject, model, direction(angle))


def gallery(templates: Sequence[Template]) -> Gallery:
    filled = Gallery(MODEL)
    filled.replace(templates)
    return filled


def test_an_empty_gallery_finds_nobody() -> None:
    assert Gallery(MODEL).search(direction(0)) == ()
    assert gallery([]).search(direction(0)) == ()


def test_the_nearest_subjects_come_first_each_with_its_best_reference() -> None:
    filled = gallery([template("ann", 1.0), template("ben", 0.4), template("ann", 0.1)])
    best, second = filled.search(direction(0))
    assert (best.subject_id, second.subject_id) == ("ann", "ben")
    assert best.score == pytest.approx(np.cos(0.1))
    assert second.score == pytest.approx(np.cos(0.4))


def test_templates_of_another_model_are_left_out() -> None:
    filled = gallery([template("ann", 0, "arcface"), template("ben", 1)])
    assert [candidate.subject_id for candidate in filled.search(direction(0))] == ["ben"]
    assert gallery([template("ann", 0, "arcface")]).search(direction(0)) == ()


def test_replacing_forgets_everything_that_was_held() -> None:
    filled = gallery([template("ann", 0), template("ben", 0.5)])
    filled.replace([template("cid", 1)])
    assert [candidate.subject_id for candidate in filled.search(direction(0))] == ["cid"]
    filled.replace([])
    assert filled.search(direction(0)) == ()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.floats(-3, 3)), min_size=1, max_size=12),
    st.floats(-3, 3),
)
def test_the_search_is_exact(held: list[tuple[str, float]], angle: float) -> None:
    found = gallery([template(*one) for one in held]).search(direction(angle))
    best = {
        subject: max(float(direction(a) @ direction(angle)) for s, a in held if s == subject)
        for subject, _ in held
    }
    scores = sorted(best.values(), reverse=True)[:2]
    assert [candidate.score for candidate in found] == pytest.approx(scores, abs=1e-6)
    for candidate in found:
        assert candidate.score == pytest.approx(best[candidate.subject_id], abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abcde"), st.lists(st.floats(-3, 3), max_size=4)), max_size=25
    ),
    st.floats(-3, 3),
)
def test_a_gallery_that_was_changed_bit_by_bit_finds_what_a_new_one_does(
    changes: list[tuple[str, list[float]]], angle: float
) -> None:
    changed, held = Gallery(MODEL), dict[str, list[Template]]()
    for subject, angles in changes:
        held[subject] = [template(subject, each) for each in angles]
        changed.put(subject, held[subject])
    fresh = gallery([each for templates in held.values() for each in templates])
    assert changed.subjects == fresh.subjects == {subject for subject in held if held[subject]}
    scores = [candidate.score for candidate in fresh.search(direction(angle), most=5)]
    found = changed.search(direction(angle), most=5)
    assert [candidate.score for candidate in found] == pytest.approx(scores, abs=1e-6)
    for candidate in found:
        best = max(float(each.embedding @ direction(angle)) for each in held[candidate.subject_id])
        assert candidate.score == pytest.approx(best, abs=1e-6)


def test_what_was_removed_is_nowhere_in_the_gallerys_memory() -> None:
    filled = gallery([template("ann", 0), template("ben", 1), template("ann", 2)])
    filled.remove("ann")
    assert filled.subjects == {"ben"}
    memory = np.concatenate([block.vectors for block in filled._blocks])
    assert np.count_nonzero(memory.any(axis=1)) == 1


def scattered(count: int, seed: int = 1) -> Vector:
    """Return unit vectors in every direction, shape (count, 128)."""
    vectors = np.random.default_rng(seed).standard_normal((count, 128)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def test_a_search_through_many_blocks_is_exact_also_after_removals() -> None:
    vectors, most = scattered(10_000), 5
    filled = Gallery(MODEL)
    filled.replace(
        Template(f"t{index}", f"s{index // 3}", MODEL, vector)
        for index, vector in enumerate(vectors)
    )
    gone = set(range(0, 3333, 5))
    for subject in gone:
        filled.remove(f"s{subject}")
    held = [index for index in range(len(vectors)) if index // 3 not in gone]
    assert len(filled) == len(held)
    assert filled.subject_count == 3334 - len(gone)
    for probe in scattered(20, seed=2):
        scores = vectors[held] @ probe
        best: dict[str, float] = {}
        for place in np.argsort(-scores)[: 3 * most]:
            best.setdefault(f"s{held[place] // 3}", float(scores[place]))
        expected = list(best.items())[:most]
        found = filled.search(probe, most)
        assert [each.subject_id for each in found] == [subject for subject, _ in expected]
        assert [each.score for each in found] == pytest.approx([s for _, s in expected], abs=1e-5)


def test_the_nearest_other_subject_is_nearest_to_any_of_the_references() -> None:
    filled = gallery([template("ann", 0), template("ben", 1), template("cid", 2)])
    nearest = filled.nearest_subject([direction(0.1), direction(0.7)], exclude="ann")
    assert nearest is not None
    assert nearest.subject_id == "ben"
    assert nearest.score == pytest.approx(np.cos(0.3))


def test_nobody_is_nearest_where_nobody_else_is_held() -> None:
    filled = gallery([template("ann", 0)])
    assert filled.nearest_subject([direction(0)], exclude="ann") is None
    assert filled.nearest_subject([], exclude=None) is None
    found = filled.nearest_subject([direction(0)])
    assert found is not None
    assert found.subject_id == "ann"


def test_the_references_of_a_subject_are_those_it_was_given() -> None:
    filled = gallery([template("ann", 0), template("ben", 1), template("ann", 2)])
    assert filled.references("ann") == pytest.approx(np.stack([direction(0), direction(2)]))
    assert filled.references("zoe").shape == (0, 128)


def test_every_change_is_counted() -> None:
    filled = gallery([template("ann", 0)])
    seen = {filled.changes}
    filled.put("ben", [template("ben", 1)])
    seen.add(filled.changes)
    filled.remove("ben")
    seen.add(filled.changes)
    filled.replace([])
    seen.add(filled.changes)
    assert len(seen) == 4
    before = filled.changes
    filled.remove("nobody")
    filled.search(direction(0))
    assert filled.changes == before
