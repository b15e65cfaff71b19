"""The text that Prometheus reads."""

from __future__ import annotations

import pytest

from facegate.api.exposition import (
    Family,
    Kind,
    exposition,
    family,
    histogram_samples,
)
from tests.engine.api.scrape import read


def test_values_stand_under_their_help_and_type() -> None:
    rooms = family("rooms", Kind.GAUGE, "Rooms.", {("hall",): 2, ("yard",): 0.25}, "name")
    assert exposition([rooms]) == (
        '# HELP rooms Rooms.\n# TYPE rooms gauge\nrooms{name="hall"} 2\nrooms{name="yard"} 0.25\n'
    )


def test_a_value_without_labels_has_no_braces() -> None:
    assert exposition([family("up", Kind.GAUGE, "Up.", {(): 1})]).endswith("\nup 1\n")


@pytest.mark.parametrize("said", ['a "quoted" name', "back\\slash", "two\nlines", r"\n", 'end\\"'])
def test_labels_and_help_come_back_as_they_were_written(said: str) -> None:
    shown = family("camera", Kind.GAUGE, said, {(said,): 1}, "id")
    found = read(exposition([shown]))["camera"]
    assert found.value(id=said) == 1
    assert found.help == said.replace("\\", r"\\").replace("\n", r"\n")


def test_a_histogram_ends_with_a_bucket_without_bound_its_sum_and_its_count() -> None:
    samples = histogram_samples({"stage": "detect"}, (0.1, 0.5), (1, 3), 4, 2.75)
    found = read(exposition([Family("seconds", Kind.HISTOGRAM, "Time.", samples)]))["seconds"]
    assert found.value("_bucket", stage="detect", le="0.1") == 1
    assert found.value("_bucket", stage="detect", le="0.5") == 3
    assert found.value("_bucket", stage="detect", le="+Inf") == 4
    assert found.value("_sum", stage="detect") == 2.75
    assert found.value("_count", stage="detect") == 4


def test_a_family_without_samples_is_left_out() -> None:
    assert exposition([family("rooms", Kind.GAUGE, "Rooms.", {})]) == ""


@pytest.mark.parametrize("value", [0.001, 1e-9, 123456789.5, 1e22, 0.1 + 0.2])
def test_numbers_lose_nothing(value: float) -> None:
    text = exposition([family("number", Kind.GAUGE, "A number.", {(): value})])
    assert read(text)["number"].value() == value


BROKEN = {
    "no last line end": "# HELP a A.\n# TYPE a gauge\na 1",
    "a sample of another family": "# HELP a A.\n# TYPE a gauge\nb 1\n",
    "no type": "# HELP a A.\na 1\n",
    "a family in two places": "# HELP a A.\n# TYPE a gauge\na 1\n" * 2,
    "an open quote": '# HELP a A.\n# TYPE a gauge\na{b="c} 1\n',
    "an unknown escape": '# HELP a A.\n# TYPE a gauge\na{b="\\t"} 1\n',
    "no number": "# HELP a A.\n# TYPE a gauge\na one\n",
    "a sample told twice": "# HELP a A.\n# TYPE a gauge\na 1\na 1\n",
    "a counter without its ending": "# HELP a A.\n# TYPE a counter\na 1\n",
    "buckets that are not cumulative": (
        "# HELP a A.\n# TYPE a histogram\n"
        'a_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n'
    ),
    "a count beside the last bucket": (
        '# HELP a A.\n# TYPE a histogram\na_bucket{le="+Inf"} 1\na_sum 1\na_count 2\n'
    ),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=list(BROKEN))
def test_the_reader_of_these_tests_refuses_what_is_not_the_format(text: str) -> None:
    with pytest.raises(AssertionError):
        read(text)
