"""Options of the site: its clock, holidays, schedules and what is kept."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from facegate.errors import SettingsError
from facegate.register import Hours, OnHolidays, Schedule, Window
from facegate.settings import HolidaySettings, RetentionSettings, SiteSettings, parse

BAVARIA = {"country": "DE", "subdivision": "BY"}


def site(**changes: Any) -> dict[str, Any]:
    return {"doors": [{"id": "front"}], "site": changes}


def schedule(**changes: Any) -> dict[str, Any]:
    return {
        "doors": [{"id": "front"}],
        "schedules": [{"id": "office", "windows": [], **changes}],
    }


def window(**changes: Any) -> dict[str, Any]:
    return schedule(windows=[{"days": ["mon"], "from": "07:30", "to": "16:00", **changes}])


def exception(**changes: Any) -> dict[str, Any]:
    return schedule(exceptions=[{"date": "2026-12-24", "windows": [], **changes}])


def retention(**changes: Any) -> dict[str, Any]:
    return {"doors": [{"id": "front"}], "retention": changes}


def test_what_is_left_out_is_utc_no_holidays_and_keeps_little() -> None:
    found = parse({"doors": [{"id": "front"}]})
    assert found.site == SiteSettings("Site", ZoneInfo("UTC"), None, 14)
    assert found.schedules == {}
    assert found.retention == RetentionSettings(24, 0, 90, 7)


def test_the_folder_of_models_is_none_or_a_whole_path() -> None:
    doors = [{"id": "front"}]
    assert parse({"doors": doors}).models.folder is None
    found = parse({"doors": doors, "models": {"folder": "/share/models"}})
    assert found.models.folder == Path("/share/models")
    for wrong in ("models", "", 7):
        with pytest.raises(SettingsError, match=r"models\.folder: expected the path of a folder"):
            parse({"doors": doors, "models": {"folder": wrong}})


def test_a_site_has_its_clock_its_holidays_and_its_age_of_consent() -> None:
    found = parse(
        site(name="School", time_zone="Europe/Berlin", holidays=BAVARIA, consent_age=16)
    ).site
    berlin = ZoneInfo("Europe/Berlin")
    assert found == SiteSettings("School", berlin, HolidaySettings("DE", "BY"), 16)


def test_holidays_may_be_those_of_a_whole_country() -> None:
    assert parse(site(holidays={"country": "FR"})).site.holidays == HolidaySettings("FR", None)


def test_a_schedule_is_found_by_its_id() -> None:
    raw = {
        **site(holidays=BAVARIA),
        "schedules": [
            {
                "id": "office",
                "name": "Office hours",
                "windows": [
                    {"days": ["mon", "fri"], "from": "07:30", "to": "16:00"},
                    {"days": ["sun"], "from": "22:00", "to": "06:00"},
                ],
                "on_holidays": "closed",
                "exceptions": [
                    {"date": "2026-12-24", "windows": [{"from": "00:00", "to": "24:00"}]},
                    {"date": "2026-12-31", "windows": []},
                ],
            },
            {"id": "never", "windows": []},
        ],
    }
    assert parse(raw).schedules == {
        "office": Schedule(
            "office",
            "Office hours",
            (
                Window(frozenset({0, 4}), Hours(450, 960)),
                Window(frozenset({6}), Hours(1320, 360)),
            ),
            OnHolidays.CLOSED,
            {date(2026, 12, 24): (Hours(0, 1440),), date(2026, 12, 31): ()},
        ),
        "never": Schedule("never", "never", (), OnHolidays.AS_USUAL, {}),
    }


@pytest.mark.parametrize("midnight", ["00:00", "24:00"])
def test_hours_that_end_at_midnight_end_with_their_day(midnight: str) -> None:
    (found,) = parse(window(to=midnight)).schedules["office"].windows
    assert found.hours == Hours(450, 1440)


def test_what_is_kept_is_kept_as_long_as_told() -> None:
    chosen = retention(
        visitor_pictures_hours=1.5, document_pictures_hours=2, events_days=30, templates_days=0
    )
    assert parse(chosen).retention == RetentionSettings(1.5, 2, 30, 0)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (
            site(zone="UTC"),
            "site.zone: unknown option; known: consent_age, holidays, name, time_zone",
        ),
        (site(name=""), "site.name: expected a name of 1 to 80 characters"),
        (
            site(consent_age=22),
            "site.consent_age: 22 is not a whole number from 0 to 21",
        ),
        (site(holidays={}), "site.holidays.country: required"),
        (
            site(holidays="DE"),
            "site.holidays: expected an object; known: country, subdivision",
        ),
        (
            site(holidays={"country": "DE", "state": "BY"}),
            "site.holidays.state: unknown option; known: country, subdivision",
        ),
        (
            site(holidays={"country": "MC", "subdivision": "BY"}),
            "site.holidays.subdivision: no holidays are known for 'BY' in MC: leave it out",
        ),
        (
            site(holidays={"country": "AT", "subdivision": "Wien"}),
            (
                "site.holidays.subdivision: no holidays are known for 'Wien' in AT: use one of 1,"
                " 2, 3, 4, 5, 6, 7, 8, 9"
            ),
        ),
        (schedule(id="Office"), "schedules[0].id: 'Office' is not an id: use 1 to 40"),
        (schedule(windows="always"), "schedules[0].windows: expected a list"),
        (
            schedule(hours=[]),
            (
                "schedules[0].hours: unknown option; known: exceptions, id, name, on_holidays,"
                " windows"
            ),
        ),
        (
            schedule(on_holidays="open"),
            "schedules[0].on_holidays: 'open' is not one of as_usual, closed",
        ),
        (
            schedule(on_holidays="closed"),
            "schedules[0].on_holidays: 'closed' needs site.holidays with a country",
        ),
        (
            window(days=[]),
            (
                "schedules[0].windows[0].days: expected at least one of mon, tue, wed, thu, fri,"
                " sat, sun"
            ),
        ),
        (
            window(days=["mon", "friday"]),
            (
                "schedules[0].windows[0].days[1]: 'friday' is not one of mon, tue, wed, thu, fri,"
                " sat, sun"
            ),
        ),
        (window(days="mon"), "schedules[0].windows[0].days: expected a list"),
        (
            window(until="16:00"),
            "schedules[0].windows[0].until: unknown option; known: days, from, to",
        ),
        (
            window(**{"from": "24:00"}),
            "schedules[0].windows[0].from: '24:00' is not a time from 00:00 to 23:59",
        ),
        (
            exception(date="24.12.2026"),
            "schedules[0].exceptions[0].date: '24.12.2026' is not a date such as 2026-12-24",
        ),
        (
            exception(windows=[{"days": ["mon"], "from": "07:30", "to": "16:00"}]),
            "schedules[0].exceptions[0].windows[0].days: unknown option; known: from, to",
        ),
        (
            exception(windows=["07:30"]),
            "schedules[0].exceptions[0].windows[0]: expected an object; known: from, to",
        ),
        (
            exception(closed=True),
            "schedules[0].exceptions[0].closed: unknown option; known: date, windows",
        ),
        (
            schedule(exceptions=[{"date": "2026-12-24", "windows": []}] * 2),
            "schedules[0].exceptions[1].date: 2026-12-24 is used twice",
        ),
        (
            {**schedule(), "schedules": [{"id": "office", "windows": []}] * 2},
            "schedules[1].id: 'office' is used twice",
        ),
        (
            retention(pictures=1),
            (
                "retention.pictures: unknown option; known: document_pictures_hours, events_days,"
                " templates_days, visitor_pictures_hours"
            ),
        ),
        (
            retention(visitor_pictures_hours=-1),
            "retention.visitor_pictures_hours: -1 is not a number from 0 to 720",
        ),
        (
            retention(document_pictures_hours=1000),
            "retention.document_pictures_hours: 1000 is not a number from 0 to 720",
        ),
        (
            retention(events_days=0),
            "retention.events_days: 0 is not a whole number from 1 to 3650",
        ),
        (
            retention(templates_days=0.5),
            "retention.templates_days: 0.5 is not a whole number from 0 to 3650",
        ),
    ],
)
def test_a_mistake_is_named_with_its_path_and_what_is_accepted(
    raw: dict[str, Any], told: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(raw)
    (mistake,) = caught.value.mistakes
    assert mistake.startswith(told)


@pytest.mark.parametrize("zone", ["Berlin", "Europe", "", "../UTC", "a\0", "x" * 5000, 1, None])
def test_what_is_no_time_zone_is_refused(zone: object) -> None:
    with pytest.raises(SettingsError, match="is not a time zone such as Europe/Berlin or UTC"):
        parse(site(time_zone=zone))


@pytest.mark.parametrize("country", ["XX", "de", "DEU", "Germany", "", "__class__", 49, None])
def test_what_is_no_country_is_refused(country: object) -> None:
    with pytest.raises(SettingsError, match="use its two letters, such as DE"):
        parse(site(holidays={"country": country}))


@pytest.mark.parametrize(
    "time", ["7:30", "07:60", "24:01", "29:00", "07.30", "0\u0667:30", 730, None]
)
def test_what_is_no_time_is_refused(time: object) -> None:
    with pytest.raises(SettingsError, match="is not a time from 00:00 to 24:00"):
        parse(window(to=time))


@pytest.mark.parametrize("day", ["2026-02-30", "20261224", "2026-W52-4", "2026-12-24T00:00", 1])
def test_what_is_no_date_is_refused(day: object) -> None:
    with pytest.raises(SettingsError, match="is not a date such as 2026-12-24"):
        parse(exception(date=day))
