"""What happens at the site, told to whoever listens, and whether it can be recorded."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
import logging

from facegate.background import Background
from facegate.errors import RecordError
from facegate.protocol import EngineMessage

_LOGGER = logging.getLogger(__name__)

type Listener = Callable[[EngineMessage], None]


class Bulletin:
    """Listeners, work that nobody waits for, and the health of the records."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._background = Background()
        self._soon: list[EngineMessage] = []
        self._checking = False
        self.record_fault: str | None = None

    @property
    def unfinished(self) -> int:
        """How much is still being done in the background, such as recording."""
        return len(self._background)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with everything that happens from now on; return how to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def publish(self, message: EngineMessage) -> None:
        """Tell everybody."""
        for listener in tuple(self._listeners):
            listener(message)

    def publish_soon(self, message: EngineMessage) -> None:
        """Tell everybody at the next ``flush``, once however often it was asked for."""
        if message not in self._soon:
            self._soon.append(message)

    def flush(self) -> None:
        """Tell what waits to be told; to be called every second."""
        soon, self._soon = self._soon, []
        for message in soon:
            self.publish(message)

    async def recorded(self, recording: Coroutine[None, None, None]) -> None:
        """Await a recording and remember whether the records work; raises ``RecordError``."""
        try:
            await recording
        except RecordError as err:
            self.record_fault = str(err)
            raise
        self.record_fault = None

    def record_later(self, recording: Coroutine[None, None, None]) -> None:
        """Record what has already happened, in the background."""
        self._background.spawn(self.recorded(recording))

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Do something in the background; its failure is logged."""
        self._background.spawn(work)

    def check(self, attempt: Callable[[], Coroutine[None, None, None]]) -> None:
        """Where the records fail, see in the background whether they are well again."""
        if self.record_fault is not None and not self._checking:
            self._checking = True
            self._background.spawn(self._check(attempt))

    async def finish(self) -> None:
        """Wait for all that runs."""
        await self._background.finish()

    async def _check(self, attempt: Callable[[], Coroutine[None, None, None]]) -> None:
        try:
            await self.recorded(attempt())
            _LOGGER.info("The records can be written again")
        except RecordError:
            _LOGGER.debug("The records still fail")
        finally:
            self._checking = False
