"""Stated times: as wide as they were written, in the zone in which they were meant."""

from datetime import date, datetime, timedelta

import pytest

from affidavit.times import (
    day_span,
    parse_duration,
    parse_time,
    show_day,
    show_duration,
    show_time,
    to_zone,
    zone,
)


def span(text: str, zone_name: str = "UTC") -> tuple[str, str, str]:
    found = parse_time(text, zone_name)
    return found.start.isoformat(), found.end.isoformat(), found.precision


@pytest.mark.parametrize(
    ("text", "zone_name", "start", "end"),
    [
        ("2015-12-20", "UTC", "2015-12-20T00:00:00", "2015-12-21T00:00:00"),
        # China has been at +08:00 without summer time since 1992.
        ("2015-12-20", "Asia/Shanghai", "2015-12-19T16:00:00", "2015-12-20T16:00:00"),
        ("2016-01-04", "America/Los_Angeles", "2016-01-04T08:00:00", "2016-01-05T08:00:00"),
        # The days of the change to summer time have 23 hours, those of its end 25.
        ("2016-03-27", "Europe/Berlin", "2016-03-26T23:00:00", "2016-03-27T22:00:00"),
        ("2016-10-30", "Europe/Berlin", "2016-10-29T22:00:00", "2016-10-30T23:00:00"),
        # Clocks went from 00:00 to 01:00, so the day has no midnight and begins at 01:00 of its zone.
        ("2017-10-15", "America/Sao_Paulo", "2017-10-15T03:00:00", "2017-10-16T02:00:00"),
        ("2016-02-29", "UTC", "2016-02-29T00:00:00", "2016-03-01T00:00:00"),
        ("0001-01-01", "UTC", "0001-01-01T00:00:00", "0001-01-02T00:00:00"),
        ("9999-12-31", "UTC", "9999-12-31T00:00:00", "9999-12-31T23:59:59.999999"),
        ("9999-12-31", "Asia/Shanghai", "9999-12-30T16:00:00", "9999-12-31T16:00:00"),
    ],
)
def test_days_in_zones(text: str, zone_name: str, start: str, end: str) -> None:
    assert span(text, zone_name) == (start, end, "day")
    assert parse_time(text, zone_name).local_day.isoformat() == text


@pytest.mark.parametrize(
    ("text", "start", "end", "precision"),
    [
        ("2016-01-04T12:00Z", "2016-01-04T12:00:00", "2016-01-04T12:01:00", "minute"),
        ("2016-01-04 12:00 UTC", "2016-01-04T12:00:00", "2016-01-04T12:01:00", "minute"),
        ("2016-01-04T12:00:30Z", "2016-01-04T12:00:30", "2016-01-04T12:00:31", "second"),
        ("2016-01-04T20:00+08:00", "2016-01-04T12:00:00", "2016-01-04T12:01:00", "minute"),
        ("2016-01-04T20:00:00+0800", "2016-01-04T12:00:00", "2016-01-04T12:00:01", "second"),
        ("2016-01-04T00:30-05:30", "2016-01-04T06:00:00", "2016-01-04T06:01:00", "minute"),
        ("2016-01-04T12:00:00.5Z", "2016-01-04T12:00:00.500000", "2016-01-04T12:00:00.600000", "instant"),
        ("2016-01-04T12:00:00.123Z", "2016-01-04T12:00:00.123000", "2016-01-04T12:00:00.124000", "instant"),
        ("2016-01-04T12:00:00.123456Z", "2016-01-04T12:00:00.123456", "2016-01-04T12:00:00.123457", "instant"),
        # RFC 5280 4.1.2.5: the end of a certificate that has no well-defined end.
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59", "9999-12-31T23:59:59.999999", "second"),
        ("  2016-01-04T12:00Z ", "2016-01-04T12:00:00", "2016-01-04T12:01:00", "minute"),
    ],
)
def test_instants_are_as_wide_as_they_were_written(text: str, start: str, end: str, precision: str) -> None:
    assert span(text, "Asia/Shanghai") == (start, end, precision)


@pytest.mark.parametrize(
    ("text", "weekday"),
    [
        ("Sunday 2015-12-20", "Sunday"),
        ("sun, 2015-12-20", "Sunday"),
        ("Thurs 2015-12-20", "Thursday"),
        ("2015-12-20", ""),
    ],
)
def test_a_weekday_is_kept_as_stated(text: str, weekday: str) -> None:
    assert parse_time(text, "UTC").weekday == weekday


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2015-02-29", "no day 2015-02-29"),
        ("2016-13-01", "no day 2016-13-01"),
        ("2016-00-10", "no day"),
        ("0000-01-01", "no day"),
        ("2016-06-31T00:00Z", "no day 2016-06-31"),
        ("Someday 2015-12-20", "no day of the week"),
        ("Sunnday 2015-12-20", "no day of the week"),
        ("2016-01-04T12:00", "no zone"),
        ("2016-01-04 12:00:00", "no zone"),
        ("2016-01-04T25:00Z", "no time of day"),
        ("2016-01-04T24:00Z", "no time of day"),
        ("2016-01-04T12:60Z", "no time of day"),
        ("2016-01-04T12:00:60Z", "no time of day"),
        ("2016-01-04T12:00+24:00", "no offset"),
        ("2016-01-04T12:00+08:60", "no offset"),
        ("2016-01-04T12:00-00:99", "no offset"),
        ("0001-01-01T00:00+01:00", "end of the calendar"),
        ("9999-12-31T23:59-01:00", "end of the calendar"),
        ("2016-1-4", "neither a day"),
        ("04.01.2016", "neither a day"),
        ("4 January 2016", "neither a day"),
        ("2016-01-04T12Z", "neither a day"),
        ("2016-01-04T12:00 CST", "neither a day"),
        ("", "neither a day"),
        ("x" * 10_000, "neither a day"),
    ],
)
def test_impossible_times_say_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_time(text, "UTC")


def test_a_day_that_a_zone_left_out_is_named() -> None:
    # Samoa crossed the date line: after Thursday 29 December 2011 came Saturday the 31st.
    with pytest.raises(ValueError, match="no day 2011-12-30 in Pacific/Apia"):
        day_span(date(2011, 12, 30), "Pacific/Apia")
    before, after = (day_span(date(2011, 12, day), "Pacific/Apia") for day in (29, 31))
    assert before.end == after.start


def test_the_calendars_first_day_does_not_begin_before_it() -> None:
    with pytest.raises(ValueError, match="end of the calendar"):
        day_span(date(1, 1, 1), "Asia/Shanghai")


@pytest.mark.parametrize("name", ["Asia/Shangai", "asia/shanghai", "CST", "+08:00", "", "../../etc/passwd", "UTC\0"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        zone(name)


def test_the_nearest_zone_is_offered() -> None:
    with pytest.raises(ValueError, match="Asia/Shanghai"):
        zone("Asia/Shangai")


def test_at_the_calendars_ends_a_time_stays_in_utc() -> None:
    end = datetime(9999, 12, 31, 23, 59, 59)
    assert to_zone(end, "Asia/Shanghai").replace(tzinfo=None) == end
    assert show_time(end, "Asia/Shanghai") == "9999-12-31 23:59:59Z"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90 days", 7_776_000),
        ("7,776,001 s", 7_776_001),
        ("15 days 4 hours 12 min", 1_311_120),
        ("24 h", 86_400),
        ("1 week", 604_800),
        ("2 days and 3 hours", 183_600),
        ("1 minute, 5 seconds", 65),
        ("90d", 7_776_000),
        ("0 s", 0),
    ],
)
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "90",
        "days",
        "1,5 days",
        "1.5 hours",
        "-5 days",
        "5 months",
        "5 m",
        "5 daysx",
        "x 5 days",
        "7,77 s",
        "5 years",
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (1, "1 s"),
        (86_400, "1 day"),
        (1_311_120, "15 days 4 h 12 min"),
        (-90, "-1 min 30 s"),
        (7_776_001, "90 days 1 s"),
        (-0.5, "-0.5 s"),
        (59.9, "59.9 s"),
        (86_400.000_5, "1 day 0.0005 s"),
        (-0.000_000_1, "0 s"),
    ],
)
def test_durations_as_shown(seconds: float, shown: str) -> None:
    assert show_duration(seconds) == shown


def test_times_as_shown() -> None:
    moment = datetime(2015, 12, 19, 16, 30, 5)
    assert show_time(moment) == "2015-12-19 16:30:05Z"
    assert show_time(moment, "Asia/Shanghai") == "2015-12-19 16:30:05Z (2015-12-20 00:30:05 Asia/Shanghai)"
    assert show_time(moment, "Africa/Abidjan") == "2015-12-19 16:30:05Z"
    assert show_time(moment + timedelta(milliseconds=7)) == "2015-12-19 16:30:05.007Z"
    assert show_time(datetime(1, 1, 1)) == "0001-01-01 00:00:00Z"
    assert show_day(date(2015, 12, 20)) == "Sunday 2015-12-20"
