"""How well the people of a site are told apart, for whoever manages it."""

from __future__ import annotations

import asyncio

from facegate.identity.report import SiteReport, site_report
from facegate.identity.threshold import Thresholds
from facegate.office.roster import Roster

STRANGERS_A_DAY = 20
"""Tracks a day of people who are not enrolled, where nobody tells how many come."""


class Recognition:
    """The site report, over everybody who is known."""

    def __init__(self, roster: Roster, thresholds: Thresholds) -> None:
        self._roster = roster
        self._thresholds = thresholds

    async def report(self, strangers_a_day: int = STRANGERS_A_DAY) -> SiteReport:
        """Compare everybody with everybody; ``strangers_a_day`` come who are not enrolled."""
        templates = [template for person in self._roster.people for template in person.templates]
        return await asyncio.to_thread(
            site_report,
            templates,
            self._thresholds.calibration,
            self._thresholds.current,
            self._thresholds.alike,
            strangers_a_day,
        )
