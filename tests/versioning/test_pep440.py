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
    """A release tag is an optional v and any spelling of a version that PEP 440 allows."""
    assert pep440.read_tag(name) == Version(version)
    assert pep440.is_release_tag(name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "it is empty"),
        ("v1.0.0$(id)", "it contains $ ( )"),
        ("v1.0.0`id`", "it contains `"),
        ("v1.0.0;id", "it contains ;"),
        ("v1.0.0\n", "spaces or control characters"),
        ("v1.0.0\nv2.0.0", "spaces or control characters"),
        ("v1.0.0 ", "spaces or control characters"),
        ("v1.0.0\x1b[31m", "spaces or control characters"),
        ("v1.0.0\x00", "spaces or control characters"),
        ("../x", "it contains /"),
        ("v1/../../x", "it contains /"),
        ("v1.0.0\\x", "it contains \\"),
        ("v" + "1" * 300, "301 characters long, but the limit is 128"),
        ("v" + "1" * 128, "129 characters long"),
        ("v\uff11.\uff10.\uff10", "non-ASCII characters: U+FF10, U+FF11"),
        ("v1.0.0\u202e", "non-ASCII characters: U+202E"),
        ("v1.0.0\u0085", "non-ASCII characters: U+0085"),
        ("v\u0661.0", "non-ASCII characters: U+0661"),
        ("1.0.0\ud800", "non-ASCII characters: U+D800"),
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
    """Every kind of bad name has its own message, which never repeats the name unescaped."""
    with pytest.raises(Refused) as caught:
        pep440.read_tag(name)
    message = str(caught.value)
    assert words in message
    assert re.fullmatch(r"[\x20-\x7e…]+", message)
    assert len(message) < 400
    assert not pep440.is_release_tag(name)
    assert "v1.2.3" in caught.value.next_step


def test_quote_is_short_and_printable() -> None:
    """Untrusted text is quoted, escaped and cut."""
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
    """Latest is the highest final version: never a prerelease or a backport. Post releases are final."""
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
    """The previous release of a final is the highest lower final; that of a prerelease is any lower release."""
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
    """The types of the fragments decide which number rises. Without fragments it is the patch number."""
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
def test_release_tag_at(tags: dict[str, str], expected: str | None) -> None:
    """The tag on a commit is the preferred spelling of the one version that its tags name."""
    assert pep440.release_tag_at(tags, HEAD) == expected


def test_two_versions_on_one_commit() -> None:
    """Tags that name different versions on a commit are refused, and the message lists them in order."""
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
    """Two spellings of one version on different commits are refused. A moving tag is not a twin."""
    version = pep440.read_tag(tag)
    if refused:
        with pytest.raises(Refused, match=f"name the same version, {re.escape(str(version))}, on different commits"):
            pep440.refuse_twins(tag, version, tags, HEAD)
    else:
        pep440.refuse_twins(tag, version, tags, HEAD)


@pytest.mark.parametrize(
    ("tags", "style"),
    [([], "v"), (["v1.0"], "v"), (["1.0"], ""), (["v1.0", "2.0"], ""), (["1.0", "v2.0"], "v"), (["7", "v1.0"], "v")],
)
def test_tag_start(tags: list[str], style: str) -> None:
    """A new tag starts like the newest one."""
    assert pep440.tag_start(tags) == style


VERSIONS = st.from_regex(
    re.compile(r"(0|[1-9][0-9]{0,2})(\.[0-9]{1,2}){0,3}((a|b|rc)[0-9])?(\.post[0-9])?"), fullmatch=True
)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(name: str) -> None:
    """Any name results in the version that packaging parses, or in a printable refusal."""
    if pep440.is_release_tag(name):
        assert pep440.read_tag(name) == Version(name.removeprefix("v"))
    else:
        with pytest.raises(Refused) as caught:
            pep440.read_tag(name)
        assert str(caught.value).isprintable()


@given(st.text(alphabet="v0123456789.!_+-abcrdeposthl", max_size=20))
def test_accepted_versions_are_pep_440(name: str) -> None:
    """Of names with allowed characters, exactly those that packaging accepts are accepted, except dev and local."""
    try:
        expected = Version(name.removeprefix("v")) if name.removeprefix("v")[:1].isdigit() else None
    except InvalidVersion:
        expected = None
    fit = expected is not None and expected.local is None and not expected.is_devrelease
    assert pep440.is_release_tag(name) is fit


@given(st.lists(VERSIONS, min_size=1), VERSIONS)
def test_order_is_pep_440(others: list[str], text: str) -> None:
    """The highest version is the highest final. The previous one is lower, and no candidate is between."""
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
    """The next version is final and higher than the current one."""
    following = pep440.next_version(Version(text), kinds)
    assert following > Version(text)
    assert not following.is_prerelease
