"""A camera's status: kept, logged and told once a change."""

from __future__ import annotations

from collections.abc import Callable
import logging

from facegate.domain import CameraStatus
from facegate.protocol import CameraStateName

_LOGGER = logging.getLogger(__name__)

type StatusListener = Callable[[CameraStatus], None]


class StatusKeeper:
    """Holds a camera's status on the event loop and tells its listener of each change."""

    def __init__(self, camera_id: str, listener: StatusListener | None) -> None:
        self._camera_id = camera_id
        self._listener = listener
        self.current = CameraStatus(CameraStateName.CONNECTING)

    def change(self, state: CameraStateName, reason: str | None = None) -> None:
        """Take on a status; nothing happens if it is the present one."""
        status = CameraStatus(state, reason)
        if status == self.current:
            return
        self.current = status
        if reason is None:
            _LOGGER.info("Camera %s: %s", self._camera_id, state)
        else:
            _LOGGER.warning("Camera %s: %s: %s", self._camera_id, state, reason)
        if self._listener is None:
            return
        try:
            self._listener(status)
        except Exception:  # a listener's mistake must not end the camera
            _LOGGER.exception("Camera %s: telling its status failed", self._camera_id)
