"""Which findings count: by policy, by what is ignored until when, under any id of a vulnerability."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta

import pytest

from unmoor.config.scan import IgnoreSettings, ScanSettings
from unmoor.products import Level, ScanFinding, Scanned, Unscanned
from unmoor.scanning.judge import ignore_lines, ignore_warnings, judge, line_of, lines_of, next_step, stopping

TODAY = date(2026, 11, 28)
SECRET = ScanFinding(
    id="github-token:demo/a.py",
    rule="github-token",
    what="a token of GitHub",
    file="demo-1.0.tar.gz",
    path="demo/a.py",
    line=3,
    level=Level.ERROR,
)
WEAKNESS = ScanFinding(
    id="PYSEC-2024-60",
    rule="PYSEC-2024-60",
    what="it hangs",
    file="demo-1.0-py3-none-any.whl",
    package="idna",
    version="3.6",
    aliases=("GHSA-jjg7-2v4v-x38h", "CVE-2024-3651"),
    fixed=("3.7",),
    level=Level.ERROR,
)
BOTH = Scanned(findings=(SECRET, WEAKNESS))


def options(
    *ids: str, until: date = TODAY, vulnerabilities: str = "required", secrets: str = "required"
) -> ScanSettings:
    """Settings that ignore these ids."""
    ignored = tuple(IgnoreSettings(id=each, reason="known", until=until) for each in ids)
    return ScanSettings(vulnerabilities=vulnerabilities, secrets=secrets, ignore=ignored)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ids", "left"),
    [
        ((), (SECRET.id, WEAKNESS.id)),
        ((WEAKNESS.id,), (SECRET.id,)),
        (("ghsa-JJG7-2v4v-x38h",), (SECRET.id,)),
        (("CVE-2024-3651",), (SECRET.id,)),
        (("CVE-2024-365",), (SECRET.id, WEAKNESS.id)),
        ((SECRET.id,), (WEAKNESS.id,)),
        (("github-token:demo/*",), (WEAKNESS.id,)),
        (("github-token:*.py", "CVE-2024-3651"), ()),
        (("*",), (WEAKNESS.id,)),
        (("npm-token:demo/a.py", "github-token:demo/b.py", "github-token"), (SECRET.id, WEAKNESS.id)),
    ],
)
def test_what_is_ignored(ids: tuple[str, ...], left: tuple[str, ...]) -> None:
    """An advisory is ignored under any of its ids, a secret by its rule and path."""
    judged = judge(BOTH, options(*ids), TODAY)
    assert tuple(each.id for each in stopping(judged)) == left
    assert {each.ignored for each in judged.findings if each.id not in left} <= {"known"}


@pytest.mark.parametrize(("days", "counts"), [(-1, True), (0, False), (1, False)])
def test_an_end(days: int, counts: bool) -> None:  # noqa: FBT001 - a table
    """A finding is ignored up to and with the last day, and counts again on the next."""
    settings = options(WEAKNESS.id, SECRET.id, until=TODAY + timedelta(days=days))
    assert bool(stopping(judge(BOTH, settings, TODAY))) == counts


@pytest.mark.parametrize(
    ("scanned", "settings", "words"),
    [
        (BOTH, options(WEAKNESS.id), []),
        (BOTH, options(WEAKNESS.id, until=date(2026, 11, 27)), ["ignored until 2026-11-27; it counts again"]),
        (BOTH, options("CVE-1", until=date(2026, 11, 27)), ["nothing has this id any more"]),
        (BOTH, options("CVE-1"), ["nothing has the id CVE-1"]),
        (BOTH, options("github-token:b"), ["nothing has the id github-token:b"]),
        (Scanned(unknown=(Unscanned(kind="vulnerabilities", why="?"),)), options("CVE-1"), []),
        (Scanned(skipped=("vulnerabilities",)), options("CVE-1", "github-token:b"), ["github-token:b"]),
    ],
)
def test_what_is_ignored_in_vain(scanned: Scanned, settings: ScanSettings, words: list[str]) -> None:
    """An entry that has ended or names nothing is a warning, unless what it names was not scanned."""
    warned = list(ignore_warnings(scanned, settings, TODAY))
    assert len(warned) == len(words)
    assert all(word in text for word, text in zip(words, warned, strict=True))


@pytest.mark.parametrize(
    ("vulnerabilities", "secrets", "stops"),
    [
        ("required", "required", {SECRET.id, WEAKNESS.id}),
        ("advisory", "required", {SECRET.id}),
        ("required", "advisory", {WEAKNESS.id}),
        ("advisory", "advisory", set()),
    ],
)
def test_policies(vulnerabilities: str, secrets: str, stops: set[str]) -> None:
    """What is advisory is a warning; nothing is lost."""
    judged = judge(BOTH, options(vulnerabilities=vulnerabilities, secrets=secrets), TODAY)
    assert {each.id for each in stopping(judged)} == stops
    assert len(judged.counting) == 2


def test_samples_never_stop() -> None:
    """A key that is taken for a sample is only listed."""
    sample = ScanFinding(id="k:a", rule="private-key", what="a key", file="f", path="a", level=Level.NOTE)
    judged = judge(Scanned(findings=(sample,)), options(), TODAY)
    assert (judged.counting, judged.samples) == ((), "a key in a")


def test_lines() -> None:
    """A line says where a secret is, or which versions fix a vulnerability, in printable text; long lists are cut."""
    assert line_of(SECRET) == "demo-1.0.tar.gz: demo/a.py, line 3: a token of GitHub (github-token:demo/a.py)"
    assert line_of(WEAKNESS) == (
        "demo-1.0-py3-none-any.whl needs idna 3.6: PYSEC-2024-60 (GHSA-jjg7-2v4v-x38h, CVE-2024-3651): it hangs;"
        " fixed in 3.7"
    )
    assert lines_of([SECRET] * 12)[-1] == "and 2 more: unmoor scan"


@pytest.mark.parametrize("name", ["demo/a.py", 'demo/"odd"\\ name.py', "démo/ü.py", "a\tb"])
def test_lines_to_paste_ignore_the_finding(name: str) -> None:
    """What the advice says to paste is TOML, and ignores exactly that finding for a time."""
    finding = ScanFinding(id=f"npm-token:{name}", rule="npm-token", what="t", file="f", path=name, level=Level.ERROR)
    assert "npm-token" in next_step([finding, WEAKNESS], TODAY)
    (entry,) = tomllib.loads(f"ignore = [{ignore_lines([finding], TODAY)}]")["ignore"]
    settings = ScanSettings(ignore=(IgnoreSettings(**entry),))
    assert stopping(judge(Scanned(findings=(finding,)), settings, TODAY)) == ()
