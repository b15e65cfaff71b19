"""``GET /metrics``: the engine's figures for Prometheus. None of them is about a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from aiohttp import web

from facegate import __version__
from facegate.api.exposition import (
    CONTENT_TYPE,
    Family,
    Kind,
    exposition,
    family,
    histogram_samples,
)
from facegate.api.socket import Sockets
from facegate.latency import BOUNDS_S, Drop, Latencies, Stage
from facegate.protocol import CameraStateName
from facegate.site import Site
from facegate.vision import Vision
from facegate.vitals import vitals

METRICS_PATH = "/metrics"

type Count = Callable[[], int]

_WAYS = {
    Stage.ARRIVAL_TO_DECISION: "From the arrival of a frame until what it showed was decided.",
    Stage.ARRIVAL_TO_UNLOCK: (
        "From the arrival of the first frame in which a face could be read until its door had"
        " opened."
    ),
}


class MetricRoutes:
    """Handlers over the site; ``templates`` and ``subjects`` count the gallery."""

    def __init__(
        self,
        site: Site,
        sockets: Sockets,
        vision: Vision | None,
        templates: Count,
        subjects: Count,
    ) -> None:
        self._site = site
        self._sockets = sockets
        self._vision = vision
        self._templates = templates
        self._subjects = subjects

    def table(self) -> list[web.RouteDef]:
        """Return the route."""
        return [web.get(METRICS_PATH, self._metrics)]

    async def _metrics(self, _request: web.Request) -> web.Response:
        text = exposition(self._families())
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})

    def _families(self) -> Iterator[Family]:
        """Yield everything that is told, the passage first."""
        yield family(
            "facegate_build_info",
            Kind.GAUGE,
            "The engine's version; the value is always 1.",
            {(__version__,): 1},
            "version",
        )
        yield from _stages(self._site.latencies)
        yield _drops(self._site.latencies, [c.id for c in self._site.board.cameras])
        yield self._cameras()
        yield _gauge(
            "facegate_gallery_templates",
            "Face references that a search goes through.",
            self._templates(),
        )
        yield _gauge(
            "facegate_gallery_subjects", "People whom a search can find.", self._subjects()
        )
        yield self._queues()
        yield from _process()

    def _queues(self) -> Family:
        waiting: dict[tuple[str, ...], float] = {
            ("socket",): self._sockets.unsent,
            ("background",): self._site.bulletin.unfinished,
        }
        if self._vision is not None:
            waiting["probe",] = self._vision.waiting
        text = "What waits to be done or sent now."
        return family("facegate_queue_length", Kind.GAUGE, text, waiting, "queue")

    def _cameras(self) -> Family:
        return family(
            "facegate_camera_state",
            Kind.GAUGE,
            "1 for the state that the camera's stream is in, 0 for the others.",
            {
                (camera.id, state): camera.state is state
                for camera in self._site.board.cameras
                for state in CameraStateName
            },
            "camera",
            "state",
        )


def _stages(latencies: Latencies) -> Iterator[Family]:
    """Yield the stages as one family; the ways through several of them apart, not to be summed."""
    found = latencies.histograms()
    yield Family(
        "facegate_stage_duration_seconds",
        Kind.HISTOGRAM,
        "How long a step of a passage took.",
        tuple(
            sample
            for stage, shown in found.items()
            if stage not in _WAYS
            for sample in histogram_samples(
                {"stage": stage}, BOUNDS_S, shown.cumulative, shown.count, shown.total_s
            )
        ),
    )
    for way, text in _WAYS.items():
        shown = found[way]
        yield Family(
            f"facegate_{way}_seconds",
            Kind.HISTOGRAM,
            text,
            histogram_samples({}, BOUNDS_S, shown.cumulative, shown.count, shown.total_s),
        )


def _drops(latencies: Latencies, camera_ids: list[str]) -> Family:
    """Return every kind of drop of every camera, those that never happened as 0."""
    return family(
        "facegate_dropped_total",
        Kind.COUNTER,
        "What was left out to keep up with the camera, by kind.",
        {(camera, drop): latencies.counted(drop, camera) for camera in camera_ids for drop in Drop},
        "camera",
        "kind",
    )


def _process() -> Iterator[Family]:
    """Yield the process's figures, named as Prometheus's own clients name them."""
    now = vitals()
    yield family(
        "process_cpu_seconds_total",
        Kind.COUNTER,
        "Processor time, user and system.",
        {(): now.cpu_s},
    )
    yield _gauge("process_threads", "Threads of the process.", now.threads)
    yield _gauge("process_resident_memory_bytes", "Resident memory.", now.resident_bytes)
    yield _gauge("process_open_fds", "Open files and sockets.", now.open_files)


def _gauge(name: str, text: str, value: int | None) -> Family:
    return family(name, Kind.GAUGE, text, {} if value is None else {(): value})
