"""Schedules mean the site's wall clock, whatever is done to it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import event, given, settings
from hypothesis import strategies as st
import pytest

from facegate.decision.schedule import Calendar, calendar, covers, ends_at
from facegate.register import Hours, OnHolidays, Schedule, Window

BERLIN = ZoneInfo("Europe/Berlin")
ON_THE_SPOT = Calendar(BERLIN)
MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
WEEKDAYS = (MON, TUE, WED, THU, FRI)
MINUTE = timedelta(minutes=1)


def minutes(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)


def hours(span: str) -> Hours:
    start, _, end = span.partition("-")
    return Hours(minutes(start), minutes(end))


def weekly(
    days: Collection[int],
    *spans: str,
    on_holidays: OnHolidays = OnHolidays.AS_USUAL,
    exceptions: dict[date, tuple[Hours, ...]] | None = None,
) -> Schedule:
    windows = tuple(Window(frozenset(days), hours(span)) for span in spans)
    return Schedule("test", "Test", windows, on_holidays, exceptions or {})


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def span_of(schedule: Schedule, within: datetime, where: Calendar) -> tuple[datetime, datetime]:
    """Return the first and the last minute covered without a break around a moment."""
    assert covers(schedule, where, within)
    first = last = within
    while covers(schedule, where, first - MINUTE):
        first -= MINUTE
    while covers(schedule, where, last + MINUTE):
        last += MINUTE
    return first, last + MINUTE


# --- days -------------------------------------------------------------------------------------


def test_hours_begin_at_their_first_moment_and_end_before_their_last() -> None:
    office = weekly(WEEKDAYS, "07:30-16:00")
    instant = datetime.resolution
    assert not covers(office, ON_THE_SPOT, local("2026-11-23T07:30") - instant)
    assert covers(office, ON_THE_SPOT, local("2026-11-23T07:30"))
    assert covers(office, ON_THE_SPOT, local("2026-11-23T16:00") - instant)
    assert not covers(office, ON_THE_SPOT, local("2026-11-23T16:00"))
    assert not covers(office, ON_THE_SPOT, local("2026-11-22T12:00"))  # a Sunday


def test_hours_are_the_same_on_the_clock_in_winter_and_in_summer() -> None:
    office = weekly(WEEKDAYS, "07:30-16:00")
    assert ends_at(office, ON_THE_SPOT, utc("2026-01-12T06:30")) == utc("2026-01-12T15:00")
    assert ends_at(office, ON_THE_SPOT, utc("2026-07-13T05:30")) == utc("2026-07-13T14:00")
    assert not covers(office, ON_THE_SPOT, utc("2026-01-12T05:30"))


def test_a_moment_may_be_given_on_any_clock() -> None:
    office = weekly(WEEKDAYS, "07:30-16:00")
    tokyo = datetime(2026, 11, 24, 0, 30, tzinfo=ZoneInfo("Asia/Tokyo"))  # 16:30 on Monday there
    assert not covers(office, ON_THE_SPOT, tokyo)
    assert covers(office, ON_THE_SPOT, tokyo - timedelta(hours=1))


def test_hours_past_midnight_belong_to_the_day_they_begin_on() -> None:
    night = weekly([FRI], "22:00-06:00")
    assert covers(night, ON_THE_SPOT, local("2026-11-28T05:59"))
    assert not covers(night, ON_THE_SPOT, local("2026-11-27T05:59"))
    assert not covers(night, ON_THE_SPOT, local("2026-11-28T22:00"))
    assert ends_at(night, ON_THE_SPOT, local("2026-11-27T23:00")) == local("2026-11-28T06:00")


@pytest.mark.parametrize(
    ("span", "begin", "end"),
    [
        ("00:00-24:00", "2026-11-27T00:00", "2026-11-28T00:00"),
        ("18:00-24:00", "2026-11-27T18:00", "2026-11-28T00:00"),
        ("07:00-07:00", "2026-11-27T07:00", "2026-11-28T07:00"),
    ],
)
def test_hours_may_last_until_midnight_or_a_whole_day(span: str, begin: str, end: str) -> None:
    friday = weekly([FRI], span)
    found = span_of(friday, local("2026-11-27T20:00"), ON_THE_SPOT)
    assert found == (local(begin), local(end))


def test_of_several_hours_the_last_end_counts() -> None:
    shifts = weekly([MON], "08:00-12:00", "11:00-15:00", "09:00-10:00", "15:00-16:00")
    assert ends_at(shifts, ON_THE_SPOT, local("2026-11-23T09:30")) == local("2026-11-23T12:00")
    assert ends_at(shifts, ON_THE_SPOT, local("2026-11-23T11:30")) == local("2026-11-23T15:00")
    assert ends_at(shifts, ON_THE_SPOT, local("2026-11-23T15:00")) == local("2026-11-23T16:00")
    assert ends_at(shifts, ON_THE_SPOT, local("2026-11-23T16:00")) is None


def test_a_schedule_without_hours_covers_nothing() -> None:
    assert not covers(Schedule("never", "Never", ()), ON_THE_SPOT, utc("2026-11-23T12:00"))


# --- holidays and exceptions ------------------------------------------------------------------


def test_a_holiday_of_one_state_is_none_in_another() -> None:
    office = weekly(WEEKDAYS, "08:00-17:00", on_holidays=OnHolidays.CLOSED)
    epiphany = local("2026-01-06T12:00")  # a Tuesday
    assert not covers(office, calendar(BERLIN, "DE", "BY"), epiphany)
    assert covers(office, calendar(BERLIN, "DE", "HH"), epiphany)
    assert covers(office, calendar(BERLIN, "DE"), epiphany)
    assert covers(office, calendar(BERLIN), epiphany)
    assert covers(office, calendar(BERLIN, "DE", "BY"), epiphany + timedelta(days=1))


def test_a_schedule_that_goes_on_as_usual_keeps_holidays_open() -> None:
    kitchen = weekly(WEEKDAYS, "08:00-17:00")
    assert covers(kitchen, calendar(BERLIN, "DE"), local("2026-12-25T12:00"))


def test_on_a_closed_holiday_no_hours_begin_but_those_of_the_evening_before_end() -> None:
    nights = weekly(range(7), "22:00-06:00", on_holidays=OnHolidays.CLOSED)
    bavaria = calendar(BERLIN, "DE", "BY")
    assert covers(nights, bavaria, local("2026-01-06T05:00"))
    assert not covers(nights, bavaria, local("2026-01-06T23:00"))
    assert not covers(nights, bavaria, local("2026-01-07T05:00"))
    assert covers(nights, bavaria, local("2026-01-07T23:00"))


def test_an_exception_replaces_the_hours_of_its_date_also_on_a_holiday() -> None:
    office = weekly(
        WEEKDAYS,
        "08:00-17:00",
        on_holidays=OnHolidays.CLOSED,
        exceptions={
            date(2026, 12, 24): (hours("08:00-12:00"),),
            date(2026, 12, 25): (hours("10:00-11:00"), hours("23:00-01:00")),
            date(2026, 12, 28): (),
        },
    )
    germany = calendar(BERLIN, "DE")
    assert ends_at(office, germany, local("2026-12-24T10:00")) == local("2026-12-24T12:00")
    assert not covers(office, germany, local("2026-12-24T14:00"))
    assert covers(office, germany, local("2026-12-25T10:30"))
    assert not covers(office, germany, local("2026-12-25T09:00"))
    assert covers(office, germany, local("2026-12-26T00:30"))  # began on the date of the exception
    assert not covers(office, germany, local("2026-12-28T10:00"))
    assert covers(office, germany, local("2026-12-29T10:00"))


@pytest.mark.parametrize(("country", "subdivision"), [("XX", None), ("DE", "XX")])
def test_holidays_that_nobody_knows_are_refused(country: str, subdivision: str | None) -> None:
    with pytest.raises(NotImplementedError):
        calendar(BERLIN, country, subdivision)


# --- clocks that are changed ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("span", "begin", "end"),
    [
        # 2026-03-29: at 01:00 UTC the clock goes from 02:00 to 03:00.
        ("02:30-05:00", "2026-03-29T01:00", "2026-03-29T03:00"),
        ("02:00-03:30", "2026-03-29T01:00", "2026-03-29T01:30"),
        ("01:00-02:30", "2026-03-29T00:00", "2026-03-29T01:00"),
        ("01:00-03:00", "2026-03-29T00:00", "2026-03-29T01:00"),
        ("00:00-24:00", "2026-03-28T23:00", "2026-03-29T22:00"),
    ],
)
def test_where_the_clock_goes_forward_a_start_that_is_left_out_moves_to_the_change(
    span: str, begin: str, end: str
) -> None:
    found = span_of(weekly([SUN], span), utc(begin), ON_THE_SPOT)
    assert found == (utc(begin), utc(end))


def test_hours_that_are_left_out_do_not_happen() -> None:
    sunday = weekly([SUN], "02:15-02:45")
    midnight = utc("2026-03-29T00:00")
    assert not any(covers(sunday, ON_THE_SPOT, midnight + n * MINUTE) for n in range(180))
    assert covers(sunday, ON_THE_SPOT, utc("2026-03-22T01:30"))


@pytest.mark.parametrize(
    ("span", "begin", "end"),
    [
        # 2026-10-25: at 01:00 UTC the clock goes from 03:00 back to 02:00.
        ("02:00-03:00", "2026-10-25T00:00", "2026-10-25T02:00"),
        ("02:30-02:45", "2026-10-25T00:30", "2026-10-25T01:45"),
        ("02:30-04:00", "2026-10-25T00:30", "2026-10-25T03:00"),
        ("01:00-02:30", "2026-10-24T23:00", "2026-10-25T01:30"),
        ("01:00-02:00", "2026-10-24T23:00", "2026-10-25T00:00"),
        ("03:00-04:00", "2026-10-25T02:00", "2026-10-25T03:00"),
        ("00:00-24:00", "2026-10-24T22:00", "2026-10-25T23:00"),
    ],
)
def test_where_the_clock_goes_back_an_hour_that_exists_twice_counts_both_times(
    span: str, begin: str, end: str
) -> None:
    found = span_of(weekly([SUN], span), utc(begin), ON_THE_SPOT)
    assert found == (utc(begin), utc(end))


def test_a_night_shift_is_an_hour_shorter_or_longer_when_the_clock_is_changed() -> None:
    night = weekly([SAT], "22:00-06:00")
    for evening, expected in (
        ("2026-03-21T22:00", 8),
        ("2026-03-28T22:00", 7),
        ("2026-10-24T22:00", 9),
    ):
        begin, end = span_of(night, local(evening), ON_THE_SPOT)
        assert (begin, end - begin) == (local(evening), timedelta(hours=expected))


def test_a_day_that_a_country_left_out_has_no_hours() -> None:
    # Samoa went from Thursday, 29 December 2011 straight to Saturday, 31 December.
    samoa = Calendar(ZoneInfo("Pacific/Apia"))
    change = utc("2011-12-30T10:00")
    friday = weekly([FRI], "08:00-17:00")
    assert not any(covers(friday, samoa, change + n * 10 * MINUTE) for n in range(-144, 144))
    assert span_of(weekly([THU], "22:00-06:00"), change - MINUTE, samoa)[1] == change
    assert span_of(weekly([FRI], "22:00-06:00"), change, samoa)[0] == change


def test_hours_are_found_where_the_clock_goes_back_across_midnight() -> None:
    # At 00:01 on Sunday, 02:31 UTC, the clock went back to 23:01 on Saturday.
    newfoundland = Calendar(ZoneInfo("America/St_Johns"))
    change = utc("2010-11-07T02:31")
    sunday = span_of(weekly([SUN], "00:00-08:00"), change, newfoundland)
    assert sunday == (change - MINUTE, utc("2010-11-07T11:30"))
    friday = span_of(weekly([FRI], "23:40-23:30"), change - MINUTE, newfoundland)
    assert friday == (utc("2010-11-06T02:10"), change + 29 * MINUTE)


# --- an independent model: every minute of the days around ----------------------------------

# Days on which clocks were changed: by one hour, by half an hour, by two, at and across midnight,
# by a day, and where they never are.
CHANGES = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Antarctica/Troll", date(2026, 3, 29)),
    ("Antarctica/Troll", date(2026, 10, 25)),
    ("America/St_Johns", date(2010, 3, 14)),
    ("America/St_Johns", date(2010, 11, 7)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Asia/Kathmandu", date(2026, 6, 1)),
    ("UTC", date(2026, 6, 1)),
]


@cache
def minutes_around(zone: str, day: date) -> list[tuple[datetime, datetime]]:
    """Return each minute of seven days, with what the clock shows then."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    moments = (noon + n * MINUTE for n in range(-5040, 5040))
    return [(at, at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)) for at in moments]


def hours_of(schedule: Schedule, holidays: Collection[date], day: date) -> list[Hours]:
    if day in schedule.exceptions:
        return list(schedule.exceptions[day])
    closed = schedule.on_holidays == "closed" and day in holidays
    return [w.hours for w in schedule.windows if day.weekday() in w.days and not closed]


def modeled_end(
    schedule: Schedule, holidays: Collection[date], zone: str, day: date, at: datetime
) -> datetime | None:
    """Hours cover all from the first minute that the clock shows within them to the last."""
    ends = []
    for begun_on in (day + timedelta(days=n) for n in range(-4, 5)):
        for span in hours_of(schedule, holidays, begun_on):
            midnight = datetime(begun_on.year, begun_on.month, begun_on.day)  # noqa: DTZ001
            begin = midnight + span.start * MINUTE
            end = midnight + span.end * MINUTE
            if end <= begin:
                end += timedelta(days=1)
            shown = [t for t, wall in minutes_around(zone, day) if begin <= wall < end]
            if shown and shown[0] <= at < shown[-1] + MINUTE:
                ends.append(shown[-1] + MINUTE)
    return max(ends, default=None)


# Half of them near the hours at which clocks are changed.
STARTS = st.integers(0, 1439) | st.sampled_from([0, 1, 30, 60, 90, 119, 120, 150, 180, 1410])
ENDS = st.integers(1, 1440) | st.sampled_from([1, 30, 60, 61, 90, 120, 150, 180, 1410, 1440])
HOURS = st.builds(Hours, STARTS, ENDS)
WINDOWS = st.builds(Window, st.frozensets(st.integers(0, 6), min_size=2), HOURS)


@settings(max_examples=250, deadline=None)
@given(
    change=st.sampled_from(CHANGES),
    windows=st.lists(WINDOWS, min_size=1, max_size=3),
    on_holidays=st.sampled_from(OnHolidays),
    exceptions=st.dictionaries(st.integers(-2, 2), st.lists(HOURS, max_size=2), max_size=2),
    holidays=st.frozensets(st.integers(-2, 2), max_size=2),
    offset=st.integers(-24 * 3600, 24 * 3600),
)
def test_a_schedule_covers_what_a_walk_through_every_minute_finds(
    change: tuple[str, date],
    windows: list[Window],
    on_holidays: OnHolidays,
    exceptions: dict[int, list[Hours]],
    holidays: frozenset[int],
    offset: int,
) -> None:
    zone, day = change
    schedule = Schedule(
        "test",
        "Test",
        tuple(windows),
        on_holidays,
        {day + timedelta(days=n): tuple(spans) for n, spans in exceptions.items()},
    )
    closed = {day + timedelta(days=n) for n in holidays}
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC) + timedelta(seconds=offset)
    expected = modeled_end(schedule, closed, zone, day, at)
    event("covered" if expected else "not covered")
    assert ends_at(schedule, Calendar(ZoneInfo(zone), closed), at) == expected
    assert covers(schedule, Calendar(ZoneInfo(zone), closed), at) is (expected is not None)


@settings(max_examples=150, deadline=None)
@given(
    change=st.sampled_from(CHANGES),
    windows=st.lists(WINDOWS, min_size=1, max_size=2),
    offset=st.integers(-24 * 3600, 24 * 3600),
)
def test_what_is_covered_stays_so_until_its_end(
    change: tuple[str, date], windows: list[Window], offset: int
) -> None:
    zone, day = change
    schedule, where = Schedule("test", "Test", tuple(windows)), Calendar(ZoneInfo(zone))
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC) + timedelta(seconds=offset)
    end = ends_at(schedule, where, at)
    if end is None:
        return
    assert end > at
    assert covers(schedule, where, at + (end - at) / 2)
    assert covers(schedule, where, end - datetime.resolution)
    later = ends_at(schedule, where, end)
    assert later is None or later > end
