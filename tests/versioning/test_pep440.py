"""Which names are tags of releases, and how versions compare."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import InvalidVersion, Version

from unmoor.errors import Refused
from unmoor.versioning import pep440

HEAD = "a" * 40
OTHER = "b" * 40


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("v1.2.3", "1.2.3"),
        ("1.2.3", "1.2.3"),
        ("v1.0.0-rc.1", "1.0.0rc1"),
        ("v1.0.0rc1", "1.0.0rc1"),
        ("v1.0.0.rc1", "1.0.0rc1"),
        ("v1.0-1", "1.0.post1"),
        ("v1.0.post2", "1.0.post2"),
        ("v2024.04.01", "2024.4.1"),
        ("v1!2.0", "1!2.0"),
        ("v7", "7"),
        ("v1.0ALPHA1", "1.0a1"),
        ("v1." + "0" * 125, "1.0"),
    ],
)
def test_a_tag_names_a_version(name: str, version: str) -> None:
    """A release's tag is v or nothing, then any spelling of PEP 440."""
    assert pep440.read_tag(name) == Version(version)
    assert pep440.is_release_tag(name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "it is empty"),
        ("v1.0.0$(id)", "it holds $ ( )"),
        ("v1.0.0`id`", "it holds `"),
        ("v1.0.0;id", "it holds ;"),
        ("v1.0.0\n", "spaces or control characters"),
        ("v1.0.0\nv2.0.0", "spaces or control characters"),
        ("v1.0.0 ", "spaces or control characters"),
        ("v1.0.0\x1b[31m", "spaces or control characters"),
        ("v1.0.0\x00", "spaces or control characters"),
        ("../x", "it holds /"),
        ("v1/../../x", "it holds /"),
        ("v1.0.0\\x", "it holds \\"),
        ("v" + "1" * 300, "301 characters long, and 128 is the most"),
        ("v" + "1" * 128, "129 characters long"),
        ("v\uff11.\uff10.\uff10", "outside ASCII: U+FF10, U+FF11"),
        ("v1.0.0\u202e", "outside ASCII: U+202E"),
        ("v1.0.0\u0085", "outside ASCII: U+0085"),
        ("v\u0661.0", "outside ASCII: U+0661"),
        ("1.0.0\ud800", "outside ASCII: U+D800"),
        ("v", "not a version"),
        ("vv1.0", "not a version"),
        ("V1.0", "not a version"),
        ("-v1.0", "not a version"),
        ("--help", "not a version"),
        ("v1..0", "not a version"),
        ("release", "not a version"),
        ("v1.0.0-final", "not a version"),
        ("v1.0.dev1", "1.0.dev1 is a development version"),
        ("v1.0rc1.dev2", "development version"),
        ("v1.0.0-dev", "1.0.0.dev0 is a development version"),
        ("v1.0+abc", "1.0+abc is a local version"),
        ("v1.0.dev1+g1234", "local version"),
    ],
)
def test_a_tag_is_refused(name: str, words: str) -> None:
    """Every kind of badness has words of its own, and the name is never repeated raw."""
    with pytest.raises(Refused) as caught:
        pep440.read_tag(name)
    said = str(caught.value)
    assert words in said
    assert re.fullmatch(r"[\x20-\x7e…]+", said)
    assert len(said) < 400
    assert not pep440.is_release_tag(name)
    assert "v1.2.3" in caught.value.next_step


def test_quote_is_short_and_printable() -> None:
    """Text from outside is quoted, escaped and cut."""
    assert pep440.quote("v1\n\x1b[31m") == r"'v1\n\x1b[31m'"
    assert len(pep440.quote("x" * 1000)) < 90


@pytest.mark.parametrize(
    ("version", "others", "highest"),
    [
        ("1.0", [], True),
        ("1.0", ["1.0"], True),
        ("1.1", ["1.0"], True),
        ("1.0.1", ["2.0"], False),
        ("2.0rc1", ["1.0"], False),
        ("2.0rc1", [], False),
        ("2.0", ["2.0rc1", "3.0a1"], True),
        ("2.0", ["2.0.post1"], False),
        ("2.0.post1", ["2.0"], True),
        ("2024.1", ["1!1.0"], False),
        ("0.10.0", ["0.9.0"], True),
        ("0.5.10", ["0.5.10rc0"], True),
    ],
)
def test_highest(version: str, others: list[str], highest: bool) -> None:  # noqa: FBT001  # a column of the table
    """Latest is the highest final: never a prerelease, never a backport; a post release is final."""
    assert pep440.is_highest(Version(version), [Version(other) for other in others]) is highest


@pytest.mark.parametrize(
    ("version", "tags", "expected"),
    [
        ("1.1", ["v1.0", "v1.1rc1", "v1.1", "v1.2"], "v1.0"),
        ("1.1rc2", ["v1.0", "v1.1rc1", "v1.1rc2"], "v1.1rc1"),
        ("1.1rc1", ["v1.0", "v0.9"], "v1.0"),
        ("1.0.1", ["v1.0.0", "v2.0.0"], "v1.0.0"),
        ("0.1", ["v0.2", "nightly", "v0.0.1$(id)"], None),
        ("1.10", ["v1.9", "v1.2"], "v1.9"),
        ("1.1", ["1.0.0", "v1.0.0", "v1"], "v1.0.0"),
        ("1.1", ["v1.0.dev1", "v0.1"], "v0.1"),
        ("1.0", [], None),
    ],
)
def test_previous(version: str, tags: list[str], expected: str | None) -> None:
    """A final follows the last final below it, a prerelease whatever was released below it."""
    assert pep440.previous(Version(version), tags) == expected


@pytest.mark.parametrize(
    ("current", "kinds", "expected"),
    [
        (None, [], "0.1.0"),
        (None, ["feature"], "0.1.0"),
        ("1.2.3", [], "1.2.4"),
        ("1.2.3", ["bugfix", "misc", "doc"], "1.2.4"),
        ("1.2.3", ["bugfix", "feature"], "1.3.0"),
        ("1.2.3", ["Removal", "feature"], "2.0.0"),
        ("1.2.3", ["breaking"], "2.0.0"),
        ("0.2.3", ["breaking"], "0.3.0"),
        ("0.2.3", ["feature"], "0.3.0"),
        ("26.3", ["feature"], "26.4"),
        ("26.3", [], "26.3.1"),
        ("5", [], "5.0.1"),
        ("1.2.3.4", [], "1.2.4.0"),
        ("2.0rc1", ["feature"], "2.0"),
        ("1.0.post1", [], "1.0.1"),
        ("1!1.0.0", [], "1!1.0.1"),
    ],
)
def test_next_version(current: str | None, kinds: list[str], expected: str) -> None:
    """The fragments' kinds say which number rises; without any it is the patch."""
    assert str(pep440.next_version(None if current is None else Version(current), kinds)) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, None),
        ({"v1.0": HEAD, "v2.0": OTHER}, "v1.0"),
        ({"v1.0": HEAD, "1.0": HEAD, "v1.0.0": HEAD}, "v1.0.0"),
        ({"v1.0": HEAD, "nightly": HEAD, "v1.0.dev1": HEAD}, "v1.0"),
        ({"nightly": HEAD}, None),
    ],
)
def test_the_tag_at(tags: dict[str, str], expected: str | None) -> None:
    """The tag on a commit is the best spelling of the one version named there."""
    assert pep440.release_tag_at(tags, HEAD) == expected


def test_two_versions_on_one_commit() -> None:
    """Tags that name different versions on a commit are refused, both named, in order."""
    with pytest.raises(Refused, match=r"different versions: v1.2.0rc1, v1.2.0$"):
        pep440.release_tag_at({"v1.2.0": HEAD, "v1.2.0rc1": HEAD}, HEAD)


@pytest.mark.parametrize(
    ("tag", "tags", "refused"),
    [
        ("v1.0.0-rc.1", {"v1.0.0-rc.1": HEAD, "v1.0.0rc1": OTHER}, True),
        ("v1.0.0", {"v1.0.0": HEAD, "1.0": OTHER}, True),
        ("v1.0.0", {"v1.0.0": HEAD, "1.0.0": HEAD}, False),
        ("v1.0.0", {"v1.0.0": HEAD, "v1": OTHER}, False),
        ("v1", {"v1": HEAD, "v1.0.0": OTHER}, True),
        ("v1.0.0", {"v1.0.0": HEAD, "v1.0.1": OTHER}, False),
    ],
)
def test_twins(tag: str, tags: dict[str, str], refused: bool) -> None:  # noqa: FBT001  # a column of the table
    """Two spellings of one version on different commits are refused; a tag that moves is no twin."""
    version = pep440.read_tag(tag)
    if refused:
        with pytest.raises(Refused, match=f"name one version, {re.escape(str(version))}, on different commits"):
            pep440.refuse_twins(tag, version, tags, HEAD)
    else:
        pep440.refuse_twins(tag, version, tags, HEAD)


@pytest.mark.parametrize(
    ("tags", "style"),
    [([], "v"), (["v1.0"], "v"), (["1.0"], ""), (["v1.0", "2.0"], ""), (["1.0", "v2.0"], "v"), (["7", "v1.0"], "v")],
)
def test_style(tags: list[str], style: str) -> None:
    """A new tag is spelt as the newest one is."""
    assert pep440.tag_start(tags) == style


VERSIONS = st.from_regex(
    re.compile(r"(0|[1-9][0-9]{0,2})(\.[0-9]{1,2}){0,3}((a|b|rc)[0-9])?(\.post[0-9])?"), fullmatch=True
)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(name: str) -> None:
    """Whatever a tag is called, the answer is a version that packaging agrees with, or a clean refusal."""
    if pep440.is_release_tag(name):
        assert pep440.read_tag(name) == Version(name.removeprefix("v"))
    else:
        with pytest.raises(Refused) as caught:
            pep440.read_tag(name)
        assert str(caught.value).isprintable()


@given(st.text(alphabet="v0123456789.!_+-abcrdeposthl", max_size=20))
def test_accepted_versions_are_pep_440(name: str) -> None:
    """Among names of the right letters, exactly those are taken that packaging takes, but for dev and local."""
    try:
        expected = Version(name.removeprefix("v")) if name.removeprefix("v")[:1].isdigit() else None
    except InvalidVersion:
        expected = None
    fit = expected is not None and expected.local is None and not expected.is_devrelease
    assert pep440.is_release_tag(name) is fit


@given(st.lists(VERSIONS, min_size=1), VERSIONS)
def test_order_is_pep_440(others: list[str], text: str) -> None:
    """The highest is the highest final; the previous one is lower, and nothing that counts lies between."""
    version, known = Version(text), [Version(other) for other in others]
    finals = [other for other in known if not other.is_prerelease]
    assert pep440.highest_final(known) == (max(finals) if finals else None)
    if pep440.is_highest(version, known):
        assert all(other <= version for other in finals)
    found = pep440.previous(version, [f"v{other}" for other in others])
    counting = [other for other in (known if version.is_prerelease else finals) if other < version]
    assert (found is None) == (not counting)
    if found is not None:
        assert pep440.read_tag(found) == max(counting)


@given(VERSIONS, st.lists(st.sampled_from(["feature", "bugfix", "breaking", "misc", "odd"])))
def test_the_next_version_is_higher(text: str, kinds: list[str]) -> None:
    """What comes next is final, and higher than what was."""
    following = pep440.next_version(Version(text), kinds)
    assert following > Version(text)
    assert not following.is_prerelease
