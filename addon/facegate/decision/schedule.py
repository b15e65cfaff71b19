"""Whether a schedule covers a moment, on the site's wall clock and right across its changes.

Hours begin on their day at the first moment at which the clock shows their start or later, and
end when it has shown a time before their end for the last time. So where a clock goes forward,
a start that does not exist moves to the change, and hours that lie wholly in what is left out do
not happen; where it goes back, an hour that exists twice is covered both times, and hours that
begin or end within it are covered from the first time until the last, without a break. Hours past
midnight belong to the day on which they begin; exceptions and holidays decide by that day too.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays

from facegate.register import DAY_MINUTES, Hours, OnHolidays, Schedule

# Hours last a day at most and no clock is set by more: what covers a moment began within these.
_BEGAN_WITHIN = tuple(timedelta(days=days) for days in (-2, -1, 0, 1))


@dataclass(frozen=True, slots=True)
class Calendar:
    """The site's wall clock and its public holidays."""

    zone: ZoneInfo
    holidays: Container[date] = frozenset()

    def is_holiday(self, day: date) -> bool:
        """Return whether a day is a public holiday of the site."""
        return day in self.holidays


def calendar(
    zone: ZoneInfo, country: str | None = None, subdivision: str | None = None
) -> Calendar:
    """Return a calendar with the holidays of a country or its subdivision, None for no holidays.

    Raises ``NotImplementedError`` for codes that the ``holidays`` package does not know.
    """
    if country is None:
        return Calendar(zone)
    return Calendar(zone, holidays.country_holidays(country, subdiv=subdivision))


def covers(schedule: Schedule, calendar: Calendar, at: datetime) -> bool:
    """Return whether ``at``, an aware moment, lies within hours of a schedule."""
    return ends_at(schedule, calendar, at) is not None


def ends_at(schedule: Schedule, calendar: Calendar, at: datetime) -> datetime | None:
    """Return when the last of the hours that cover ``at`` ends, in UTC; None where none do.

    Other hours may have begun by then.
    """
    today = at.astimezone(calendar.zone).date()
    return max(
        (
            end
            for days in _BEGAN_WITHIN
            for begin, end in _spans(schedule, calendar, today + days)
            if begin <= at < end
        ),
        default=None,
    )


def _spans(
    schedule: Schedule, calendar: Calendar, day: date
) -> Iterator[tuple[datetime, datetime]]:
    midnight = datetime.combine(day, time())
    for hours in _hours(schedule, calendar, day):
        overnight = DAY_MINUTES if hours.end <= hours.start else 0
        yield (
            _begin(midnight + timedelta(minutes=hours.start), calendar.zone),
            _end(midnight + timedelta(minutes=hours.end + overnight), calendar.zone),
        )


def _hours(schedule: Schedule, calendar: Calendar, day: date) -> tuple[Hours, ...]:
    if day in schedule.exceptions:
        return schedule.exceptions[day]
    if schedule.on_holidays is OnHolidays.CLOSED and calendar.is_holiday(day):
        return ()
    return tuple(window.hours for window in schedule.windows if day.weekday() in window.days)


def _begin(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment at which a clock shows ``wall`` or later."""
    first, last = _instants(wall, zone)
    return first if first <= last else _change(wall, zone)


def _end(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment from which on a clock never again shows a time before ``wall``."""
    first, last = _instants(wall, zone)
    if first > last:
        return _change(wall, zone)
    # Where the clock goes back to just this time, what was before it was over the first time.
    return last if _wall(last - datetime.resolution, zone) < wall else first


def _instants(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the first and the last moment of a time; swapped for one that is left out."""
    first, last = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first, last


def _change(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment, to the second, at which a clock leaves ``wall`` out."""
    after, before = _instants(wall, zone)
    while (between := (after - before) // timedelta(seconds=2)) > 0:
        middle = before + timedelta(seconds=between)
        if _wall(middle, zone) < wall:
            before = middle
        else:
            after = middle
    return after


def _wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)
