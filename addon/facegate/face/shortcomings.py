"""What is wrong with a photo of a face that shall be a reference, and how to mend it.

The limits were set so that studio portraits, holiday and press photos pass (of 68, 17 and 100
pictures that are not shipped 68, 17 and 96; the four are turned by 45 degrees and more), and that
they are refused once they are blurred by 2 pixels of the aligned crop, darkened to a quarter, or
overexposed to a white face. What five landmarks or a small crop cannot tell for certain only
advises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from facegate.errors import ImageError
from facegate.face.quality import Component, Quality
from facegate.protocol import ErrorCode


@dataclass(frozen=True, slots=True)
class Shortcoming:
    """One thing that is wrong: ``measured`` is beyond ``limit``; ``message`` says how to mend it.

    Where it ``refuses``, the photo is no reference; otherwise a better one is advised.
    """

    component: Component
    measured: float
    limit: float
    refuses: bool
    message: str


def shortcomings(quality: Quality) -> tuple[Shortcoming, ...]:
    """Return what is wrong with a face, each component once, what refuses first."""
    found = []
    for rule in _RULES:
        measured = rule.measured(quality)
        for limit, refuses in ((rule.refused, True), (rule.advised, False)):
            if limit is not None and measured is not None and rule.beyond(measured, limit):
                found.append(Shortcoming(rule.component, measured, limit, refuses, rule.message))
                break
    return tuple(sorted(found, key=lambda each: not each.refuses))


def require_good(quality: Quality) -> tuple[Shortcoming, ...]:
    """Return what is advised; raises ``ImageError`` naming all that refuses."""
    found = shortcomings(quality)
    if refusing := [each for each in found if each.refuses]:
        told = "; ".join(
            f"{each.message} ({each.component} {each.measured:.2f}, limit {each.limit:g})"
            for each in refusing
        )
        raise ImageError(told, ErrorCode.LOW_QUALITY)
    return found


@dataclass(frozen=True, slots=True)
class _Rule:
    """A component's limits; ``low`` tells that less is worse."""

    component: Component
    measured: Callable[[Quality], float | None]
    refused: float | None
    advised: float | None
    message: str
    low: bool = True

    def beyond(self, measured: float, limit: float) -> bool:
        return measured < limit if self.low else measured > limit


_RULES = (
    _Rule(
        Component.SHARPNESS,
        lambda quality: quality.sharpness,
        0.23,
        0.3,
        "the face is blurred: hold the camera still, focus on the face, and wipe the lens",
    ),
    _Rule(
        Component.UNDER_EXPOSURE,
        lambda quality: quality.luminance,
        40,
        58,
        "the face is too dark: turn it towards a window or a lamp",
    ),
    _Rule(
        Component.OVER_EXPOSURE,
        lambda quality: quality.bright,
        0.3,
        0.1,
        "the face is overexposed: keep direct sun and flash off it, or expose less",
        low=False,
    ),
    _Rule(
        Component.DYNAMIC_RANGE,
        lambda quality: quality.dynamic_range,
        4.5,
        5.5,
        "the face has hardly any contrast: avoid haze, light from behind, and heavy filters",
    ),
    _Rule(
        Component.ILLUMINATION,
        lambda quality: quality.illumination,
        None,
        0.03,
        "one side of the face is much darker: let the light come from the front",
    ),
    _Rule(
        Component.HEAD_SIZE,
        lambda quality: quality.head_size,
        None,
        110,
        "the face is small: come closer, or use a larger photo",
    ),
    _Rule(
        Component.YAW,
        lambda quality: abs(quality.yaw),
        45,
        30,
        "the face is turned to the side: look into the camera",
        low=False,
    ),
    _Rule(
        Component.PITCH,
        lambda quality: abs(quality.pitch),
        None,
        20,
        "the face is raised or lowered: hold the camera at the height of the eyes",
        low=False,
    ),
    _Rule(
        Component.ROLL,
        lambda quality: abs(quality.roll),
        None,
        30,
        "the head leans to the side: hold it, or the camera, upright",
        low=False,
    ),
    _Rule(
        Component.MOUTH_OCCLUSION,
        lambda quality: quality.mask,
        0.8,
        0.5,
        "mouth and nose are covered: take off the mask or scarf",
        low=False,
    ),
    _Rule(
        Component.CROP,
        lambda quality: quality.inside,
        0.85,
        0.95,
        "part of the face lies outside of the picture: leave some room around it",
    ),
)
