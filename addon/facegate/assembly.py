"""Construction: the only file that names concrete classes, in the order of the passage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
import logging
from pathlib import Path

from facegate.api.auth import read_token
from facegate.api.doors import DoorRoutes
from facegate.api.imports import ImportRoutes
from facegate.api.metrics import MetricRoutes
from facegate.api.operations import OperationRoutes
from facegate.api.passes import PassRoutes
from facegate.api.people import PeopleRoutes
from facegate.api.placement import PlacementRoutes
from facegate.api.recognition import RecognitionRoutes
from facegate.api.records import RecordRoutes
from facegate.api.routes import Routes
from facegate.api.server import Server
from facegate.api.socket import Sockets
from facegate.background import Background
from facegate.clock import SystemClock
from facegate.codes import CodeReader
from facegate.connections import Connections, open_camera
from facegate.decision.gate import Gate
from facegate.decision.schedule import calendar
from facegate.domain import Camera, Clock, MaskClassifier
from facegate.errors import SettingsError, VaultError
from facegate.face.library import Library
from facegate.face.weights import SFACE
from facegate.identity.calibration import calibration_of
from facegate.identity.evidence import Identifier
from facegate.identity.gallery import Gallery
from facegate.identity.threshold import Thresholds
from facegate.importing.importer import Importer
from facegate.latency import Latencies
from facegate.memory import GIVE_BACK_S, give_back
from facegate.models import open_vision
from facegate.office.credentials import Credentials
from facegate.office.enrollment import Enrollment
from facegate.office.erasure import Erasure
from facegate.office.intake import Intake
from facegate.office.office import Office, OfficeRules
from facegate.office.pass_desk import PassDesk
from facegate.office.people import People
from facegate.office.recognition import Recognition
from facegate.office.roster import Roster
from facegate.pipeline import Pipeline
from facegate.protocol import PeopleChanged
from facegate.record.backup import hold_lock
from facegate.record.passes import PassStore
from facegate.record.pictures import PictureStore
from facegate.record.presence import PresenceStore
from facegate.record.store import Store
from facegate.record.tombstones import Tombstones
from facegate.record.vault import KEYS, Vault
from facegate.settings import Settings
from facegate.site import Site
from facegate.site.alarms import Alarms
from facegate.site.board import Board
from facegate.site.bulletin import Bulletin
from facegate.site.contacts import Contacts
from facegate.site.modes import Modes
from facegate.site.passages import Passages
from facegate.site.performance import Performance
from facegate.site.placement import Placement
from facegate.site.presenting import Presenting
from facegate.site.rounds import Rounds
from facegate.site.visitors import Visitors
from facegate.visitor.call import Calls
from facegate.visitor.passes import Passes

_LOGGER = logging.getLogger(__name__)

TICK_S = 1.0
MODELS_S = 5.0
"""How often the models' files are looked at."""


@asynccontextmanager
async def running(
    settings: Settings,
    data: Path,
    clock: Clock | None = None,
    masks: MaskClassifier | None = None,
) -> AsyncIterator[Site]:
    """Run one site's engine for as long as the block; its records are in the folder ``data``.

    Raises ``SettingsError`` and ``RecordError``, and ``ConflictError`` where another engine runs
    with this folder. Without its models or its key the engine runs, names the fault and opens no
    door to a face.
    """
    token = await asyncio.to_thread(_prepare_folder, data)
    with hold_lock(data):
        async with _running(settings, data, token, clock or SystemClock(), masks) as site:
            yield site


@asynccontextmanager
async def _running(
    settings: Settings, data: Path, token: str, clock: Clock, masks: MaskClassifier | None
) -> AsyncIterator[Site]:
    database = data / "facegate.db"
    store = await Store.open(database)
    vault, vault_fault = await _open_vault(store, data / KEYS, clock)
    bulletin, latencies = Bulletin(), Latencies()
    library, vision = await asyncio.to_thread(open_vision, settings, data, masks, latencies)
    gallery = Gallery(SFACE.id)
    identifier = _identifier(settings, gallery)
    office = Office(
        store,
        Roster(gallery),
        vault,
        clock,
        OfficeRules(
            tuple(door.id for door in settings.doors),
            tuple(settings.schedules),
            settings.site.consent_age,
        ),
        on_change=lambda: bulletin.publish_soon(
            PeopleChanged(need_photos=office.roster.need_photos)
        ),
    )
    people = People(office)
    enrollment = Enrollment(office, vision, identifier.thresholds)
    credentials = Credentials(office)
    gate = _gate(settings, clock)
    tombstones = await asyncio.to_thread(_open_tombstones, data / KEYS)
    erasure = Erasure(office, tombstones, _forgetting(gate, bulletin))
    passes, pass_store = Passes(vault), PassStore(store)
    desk = PassDesk(passes, pass_store, store, vault, clock, office.rules.door_ids)
    site = _site(
        settings,
        gate,
        store,
        vault,
        office,
        credentials,
        erasure,
        passes,
        pass_store,
        desk,
        bulletin,
        latencies,
        connections := Connections(settings, clock),
        clock,
    )
    site.vault_fault = vault_fault
    site.models_found(library.faults)
    intake = Intake(office, enrollment)
    importer = Importer(office, intake, bulletin, settings.site.time_zone, data)
    sockets = Sockets(site, store.site_id)
    server = Server(
        settings.api,
        token,
        sockets,
        [
            *Routes(site).table(),
            *MetricRoutes(
                site, sockets, vision, lambda: len(gallery), lambda: gallery.subject_count
            ).table(),
            *DoorRoutes(site, vision).table(),
            *OperationRoutes(site).table(),
            *PlacementRoutes(site).table(),
            *RecordRoutes(store, database, vault).table(),
            *RecognitionRoutes(Recognition(office.roster, identifier.thresholds)).table(),
            *ImportRoutes(importer).table(),
            *PassRoutes(desk).table(),
            *PeopleRoutes(
                people, enrollment, credentials, erasure, site.gate.presence.where
            ).table(),
        ],
        settings.roles,
    )
    work = Background()
    cameras: list[Camera] = []
    watcher = (
        Pipeline(settings, vision, identifier, people, site, latencies, clock)
        if vision is not None
        else CodeReader(settings, site, clock, Background())
    )
    try:
        await office.load()
        await erasure.repeat()
        await site.start()
        cameras += _watch(settings, watcher, site, clock, work)
        await connections.start(site, vision)
        work.spawn(_tick(site, connections))
        work.spawn(_look_at_models(site, library, clock))
        work.spawn(_give_memory_back())
        await server.start()
        yield site
    finally:
        await asyncio.gather(*(camera.close() for camera in cameras))
        await work.cancel()
        await watcher.close()
        await server.stop()
        await importer.close()
        await connections.close(site)
        if vision is not None:
            vision.close()
        await store.close()


def _forgetting(gate: Gate, bulletin: Bulletin) -> Callable[[str], None]:
    def forget(subject_id: str) -> None:
        gate.presence.forget(subject_id)
        bulletin.publish(PeopleChanged(erased=subject_id))

    return forget


def _watch(
    settings: Settings, watcher: Pipeline | CodeReader, site: Site, clock: Clock, work: Background
) -> list[Camera]:
    """Open every camera and follow it."""
    cameras = [open_camera(camera_settings, clock, site) for camera_settings in settings.cameras]
    for camera in cameras:
        site.board.camera_changed(camera.id, camera.status)
        work.spawn(watcher.watch(camera))
    return cameras


def _identifier(settings: Settings, gallery: Gallery) -> Identifier:
    limits = settings.recognition
    thresholds = Thresholds(
        gallery,
        calibration_of(gallery.model_id),
        fpir=limits.fpir,
        min_margin=limits.min_margin,
        fixed=limits.fixed_threshold,
    )
    return Identifier(gallery, thresholds, settings.recognition.min_probes)


def _gate(settings: Settings, clock: Clock) -> Gate:
    holidays = settings.site.holidays
    days = calendar(
        settings.site.time_zone,
        holidays.country if holidays else None,
        holidays.subdivision if holidays else None,
    )
    rules = {door.id: door.rules for door in settings.doors}
    return Gate(rules, settings.schedules, days, clock, settings.areas)


def _site(
    settings: Settings,
    gate: Gate,
    store: Store,
    vault: Vault | None,
    office: Office,
    credentials: Credentials,
    erasure: Erasure,
    passes: Passes,
    pass_store: PassStore,
    desk: PassDesk,
    bulletin: Bulletin,
    latencies: Latencies,
    connections: Connections,
    clock: Clock,
) -> Site:
    """Construct the site, each part before those that use it."""
    presence = PresenceStore(store)
    pictures = PictureStore(store, vault) if vault is not None else None
    calls = Calls(clock)
    board = Board(
        settings, gate, calls, bulletin, latencies, clock, lambda: office.roster.need_photos
    )
    alarms = Alarms(store, bulletin, clock)
    passages = Passages(
        settings,
        gate,
        store,
        presence,
        board,
        alarms,
        bulletin,
        connections.actuators,
        latencies,
        clock,
    )
    return Site(
        gate=gate,
        store=store,
        presence=presence,
        passes=passes,
        pass_store=pass_store,
        board=board,
        alarms=alarms,
        bulletin=bulletin,
        passages=passages,
        contacts=Contacts(settings, gate, passages, board, alarms, clock),
        modes=Modes(gate, passages, store, presence, board, bulletin, clock),
        visitors=Visitors(settings, gate, calls, passages, store, pictures, bulletin, clock),
        presenting=Presenting(
            settings,
            gate,
            credentials,
            passes,
            pass_store,
            passages,
            store,
            pictures,
            board,
            alarms,
            bulletin,
            clock,
        ),
        rounds=Rounds(
            settings,
            gate,
            office,
            store,
            presence,
            pictures,
            erasure,
            desk,
            board,
            alarms,
            bulletin,
            clock,
        ),
        performance=Performance(latencies, bulletin, clock),
        placement=Placement(settings, board, latencies, clock),
        actuators=connections.actuators,
        homeassistant=connections.homeassistant,
        latencies=latencies,
        clock=clock,
    )


async def _open_vault(store: Store, keys: Path, clock: Clock) -> tuple[Vault | None, str | None]:
    try:
        vault = await asyncio.to_thread(Vault.open, keys, store.key_id)
        await store.use(vault, clock.now())
    except VaultError as err:
        _LOGGER.error("No door opens to a face: %s", err)  # noqa: TRY400  its text says it all
        return None, str(err)
    return vault, None


def _prepare_folder(data: Path) -> str:
    """Make the data folder and read the token."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        return read_token(data / "token")
    except OSError as err:
        raise SettingsError((f"data folder {data}: {err.strerror}",)) from err


def _open_tombstones(keys: Path) -> Tombstones | None:
    try:
        return Tombstones(keys)
    except VaultError:
        _LOGGER.exception("Nobody can be erased")
        return None


async def _look_at_models(site: Site, library: Library, clock: Clock) -> None:
    watch = library.watch(clock)
    while True:
        site.models_found(library.faults + await asyncio.to_thread(watch.look))
        await asyncio.sleep(MODELS_S)


async def _give_memory_back() -> None:
    while True:
        await asyncio.sleep(GIVE_BACK_S)
        await asyncio.to_thread(give_back)


async def _tick(site: Site, connections: Connections) -> None:
    while True:
        await asyncio.sleep(TICK_S)
        site.tick()
        connections.look()
