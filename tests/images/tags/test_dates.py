"""Dates in the format language of moment.js."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from unmoor.images.tags import dates
from unmoor.images.tags.errors import RuleError

NEW_YEAR = datetime(2020, 12, 31, 23, 5, 9, 45_678, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("YYYYMMDD-HHmmss", "UTC", "20201231-230509"),
        ("YYYYMMDD-HHmmss", "Asia/Tokyo", "20210101-080509"),
        ("gggg-[W]ww GGGG-[W]WW e E d", "UTC", "2021-W01 2020-W53 4 4 4"),
        ("gg GG ggggg GGGGG wo Wo w W", "Asia/Tokyo", "21 20 02021 02020 1st 53rd 1 53"),
        ("Q Qo M Mo MM MMM MMMM", "UTC", "4 4th 12 12th 12 Dec December"),
        ("D Do DD DDD DDDo DDDD", "UTC", "31 31st 31 366 366th 366"),
        ("d do dd ddd dddd", "UTC", "4 4th Th Thu Thursday"),
        ("Y YY YYYY YYYYY YYYYYY y yo", "UTC", "2020 20 2020 02020 +002020 2020 2020th"),
        ("H h k hh kk a A Hmm hmmss", "UTC", "23 11 23 11 23 pm PM 2305 110509"),
        ("S SS SSS SSSS SSSSSSSSS", "UTC", "0 04 045 0450 045000000"),
        ("X x", "UTC", "1609455909 1609455909045"),
        ("z Z ZZ", "America/St_Johns", "NST -03:30 -0330"),
        ("LT|LTS|L|l|LL|ll", "UTC", "11:05 PM|11:05:09 PM|12/31/2020|12/31/2020|December 31, 2020|Dec 31, 2020"),
        ("[the] D\\D [[x]", "UTC", "the 31D [x"),
        ("N NNNN", "UTC", "AD Anno Domini"),
        ("", "UTC", "2020-12-31T23:05:09Z"),
        (None, "asia/tokyo", "2021-01-01T08:05:09+09:00"),
        ("é-YYYY", "Etc/UTC", "é-2020"),
    ],
)
def test_tokens(text: str | None, zone: str, expected: str) -> None:
    """Each token gives what moment-timezone gives (verified by running it)."""
    assert dates.format_date(NEW_YEAR, text, zone) == expected


@pytest.mark.parametrize("zone", ["Nowhere/Land", "", "../../etc/passwd", "/etc/localtime", "America", "a\x00b"])
def test_an_unknown_zone(zone: str) -> None:
    """It is refused, even if it is a path in the file system."""
    with pytest.raises(RuleError, match="no time zone"):
        dates.format_date(NEW_YEAR, "YYYY", zone)


def test_a_format_has_a_limit() -> None:
    """A format that is too long is refused."""
    with pytest.raises(RuleError, match="but the limit is 200"):
        dates.format_date(NEW_YEAR, "Y" * 201)


def test_iso() -> None:
    """The time has milliseconds and ends in Z."""
    assert dates.iso(NEW_YEAR) == "2020-12-31T23:05:09.045Z"
