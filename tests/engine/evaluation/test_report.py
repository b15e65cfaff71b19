"""The report's three forms: they hold the figures, escape what labels say, and load nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
import json
import re
from xml.etree import ElementTree as ET

import pytest

from facegate.evaluation.as_html import to_html
from facegate.evaluation.as_json import plain, to_json
from facegate.evaluation.as_text import to_text
from facegate.evaluation.attacks import Presented, judge
from facegate.evaluation.conditions import Condition
from facegate.evaluation.discard import weigh
from facegate.evaluation.identification import Enrolled, searches
from facegate.evaluation.instruments import Missing
from facegate.evaluation.labels import Purpose
from facegate.evaluation.masks import Masked, count
from facegate.evaluation.naming import summarize
from facegate.evaluation.report import FalseFaces, Report, SetSummary
from facegate.evaluation.siting import Goals, Siting
from facegate.evaluation.verification import verify
from facegate.face.weights import SFACE
from facegate.identity.calibration import calibration_of
from tests.engine.evaluation.made import sample, shown, turned

HOSTILE = '<script>alert("x")</script> & co'


def report_of(name: str = "set") -> Report:
    presentations = [
        shown(sample("ann", 2, name), turned(0)),
        shown(sample("ann", 3, name), turned(30)),
        shown(sample("ann", 3, name), turned(70), condition=Condition.HEIGHT_64),
        shown(sample("bea", 4, name), turned(0, 1)),
        shown(sample("bea", 5, name), turned(20, 1)),
    ]
    siting = Siting(calibration_of(SFACE.id), 1e-4, 0.5, 0.08, 3, 3)
    enrolled = Enrolled(presentations, "m", 3)
    found = searches(presentations, enrolled, siting.rules(2, 4))
    return Report(
        "1.2.3",
        "model-1",
        (SetSummary(name, Purpose.IDENTITY, 4, 0, 2),),
        FalseFaces(3, 1),
        verify(presentations),
        summarize(found, siting, Goals(), enrolled),
        weigh(found),
        judge([Presented(f"{name}/1.png", "live", 0.9), Presented("2", "spoof_print", 0.1)]),
        count([Masked("1", masked=True, worn=0.9), Masked("2", masked=False, worn=0.1)]),
    )


EMPTY = replace(
    report_of(),
    verification=Missing("no identity set <here>"),
    naming=Missing("no identity set <here>"),
    quality=Missing("no identity set <here>"),
    attacks=Missing("model minifasnet-v2 is missing"),
    masks=Missing("no mask set was given"),
)


@dataclass
class Page(HTMLParser):
    """What a browser would see."""

    def __post_init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page_of(report: Report) -> Page:
    page = Page()
    page.feed(to_html(report))
    page.close()
    return page


def figures(value: object) -> Iterator[float]:
    if isinstance(value, dict):
        for each in value.values():
            yield from figures(each)
    elif isinstance(value, list):
        for each in value:
            yield from figures(each)
    elif isinstance(value, float):
        yield value


def test_json_holds_every_figure_by_its_name() -> None:
    read = json.loads(to_json(report_of()))
    assert read["version"] == "1.2.3"
    near = read["naming"]["groups"][0]
    assert near["condition"] == "as given"
    assert near["fnir"] == {"errors": 0, "trials": 4, "value": 0.0, "low": 0.0, "high": 0.75}
    assert read["verification"][0]["points"][0]["supported"] is False
    assert read["attacks"]["levels"][0]["species"][0]["name"] == "print"
    assert read["naming"]["rules"]["threshold"] == 0.5
    assert len(list(figures(read))) > 500


def test_json_tells_what_is_missing() -> None:
    read = json.loads(to_json(EMPTY))
    assert read["attacks"] == {"reason": "model minifasnet-v2 is missing"}


def test_json_refuses_what_no_report_holds() -> None:
    with pytest.raises(TypeError, match="cannot hold object"):
        plain(object())


def test_the_terminal_shows_tables_whose_columns_stand_under_each_other() -> None:
    lines = to_text(report_of()).splitlines()
    (head,) = [line for line in lines if line.startswith("scope") and "misnamed" in line][:1]
    start = lines.index(head)
    column = head.index("FNIR")
    rows = lines[start + 1 : start + 4]
    assert [row[column : column + 4] for row in rows] == ["0.0%", "0.0%", "100."]
    assert "FNIR of set at 96 px and more (worst: as given)" in "\n".join(lines)


def test_goals_that_are_not_held_are_told_with_what_would_do() -> None:
    text = to_text(report_of())
    assert "To hold the goal of FNIR of all at 64 px: a threshold of 0.342" in text
    assert re.search(r"FNIR of all at 64 px +8% +100.0% \(1/1, .*\) +not held", text)


@pytest.mark.parametrize("form", [to_text, to_html], ids=["terminal", "page"])
def test_what_was_not_measured_says_why(form: object) -> None:
    assert callable(form)
    said = form(EMPTY)
    assert "Not measured: model minifasnet-v2 is missing" in said
    assert "Not measured: no mask set was given" in said


def test_the_page_has_a_plot_for_each_thing_that_is_plotted() -> None:
    page = page_of(report_of())
    titles = [attrs["aria-label"] for tag, attrs in page.tags if tag == "svg"]
    assert titles == [
        "FNIR by condition",
        "FNIR by set, as given",
        "FNIR over the threshold by face height",
        "FNIR over FPIR",
        "FNIR over FPIR",
        "FNIR and FPIR over the threshold",
        "Genuine and impostor comparisons",
        "Detection error tradeoff",
        "Error versus discard",
        "Errors of the mask classifier",
    ]


def test_plots_are_well_formed_and_stay_inside_their_frame() -> None:
    plots = re.findall(r"<svg .*?</svg>", to_html(report_of()), re.DOTALL)
    assert len(plots) >= 7
    for plot in plots:
        root = ET.fromstring(plot)
        width, height = (float(value) for value in root.attrib["viewBox"].split()[2:])
        for line in root.iter():
            for pair in line.attrib.get("points", "").split():
                x, y = (float(value) for value in pair.split(","))
                assert 0 <= x <= width
                assert 0 <= y <= height


def test_the_page_shows_the_figures_of_the_terminal() -> None:
    said = "".join(page_of(report_of()).texts)
    for cell in re.findall(r"\d+\.\d% \(\S+ \S+\)", to_text(report_of())):
        assert cell in said


def test_the_page_escapes_what_labels_say() -> None:
    page = page_of(report_of(HOSTILE))
    assert "script" not in {tag for tag, _ in page.tags}
    assert HOSTILE in page.texts


def test_the_page_loads_and_runs_nothing() -> None:
    page = page_of(report_of())
    assert {"script", "link", "img", "iframe"}.isdisjoint({tag for tag, _ in page.tags})
    assert not [attrs for _, attrs in page.tags if {"src", "href", "onload"} & attrs.keys()]
    assert "url(" not in to_html(report_of())
    (policy,) = [
        attrs["content"] for tag, attrs in page.tags if tag == "meta" and "http-equiv" in attrs
    ]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_the_page_is_for_light_and_dark() -> None:
    assert "@media (prefers-color-scheme: dark)" in to_html(report_of())


def test_every_tag_that_is_opened_is_closed() -> None:
    said = to_html(report_of())
    for tag in ("section", "table", "tr", "td", "svg", "div", "ul", "li", "h2", "p"):
        opened = len(re.findall(rf"<{tag}[ >]", said))
        assert opened == said.count(f"</{tag}>") > 0
