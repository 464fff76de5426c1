"""Which tags are a project's own, and how a new one starts."""

from __future__ import annotations

import pytest
from packaging.version import Version

from unmoor.advice import NextStep
from unmoor.errors import ConfigError, Refused
from unmoor.versioning import pep440
from unmoor.versioning.tag_scheme import Naming, parse_prefix, refuse_unsafe

HEAD, OTHER = "a" * 40, "b" * 40


@pytest.mark.parametrize(
    ("configured", "tag", "found"),
    [
        ("", "v1.2", ""),
        ("", "1.2rc1", ""),
        ("", "some-pkg-1.2", "some-pkg-"),
        ("", "Some_Pkg-v1.2", "Some_Pkg-"),
        ("", "some.pkg/v1.2", "some.pkg/"),
        ("", "some-pkg@1.2", "some-pkg@"),
        ("", "some-pkg==1.2", "some-pkg=="),
        ("", "some-pkg=1.2", None),
        ("", "some-pkg===1.2", None),
        ("", "release-1.2", "release-"),
        ("", "releases/v1.0.0-rc.1", "releases/"),
        ("", "other-1.2", None),
        ("", "some-pkg-extra-1.2", None),
        ("", "release-1.2.dev1", None),
        ("", "release--1.2", None),
        ("", "release-1.2\n", None),
        ("", "release-\uff11", None),
        ("pkg-", "pkg-1.2", "pkg-"),
        ("pkg-", "pkg-v1.2", "pkg-"),
        ("pkg-", "v1.2", None),
        ("pkg-", "pkg-core-1.2", None),
        ("pkg-", "xpkg-1.2", None),
        ("v", "v1.2", ""),
        ("v", "release-1.2", None),
        ("py/pkg/", "py/pkg/v1.2", "py/pkg/"),
    ],
)
def test_a_tag_of_the_project(configured: str, tag: str, found: str | None) -> None:
    """Only a configured prefix counts; otherwise none, the project's name in any spelling, or a word for a release."""
    naming = Naming(configured=configured, project=lambda: "Some.Pkg")
    known = naming.known([tag])
    assert (known[tag][0] if tag in known else None) == found
    if found is None:
        with pytest.raises(Refused):
            naming.prefix_of(tag)
    else:
        assert naming.prefix_of(tag) == found
        assert known[tag][1] == pep440.read_tag(tag, prefix=found)


@pytest.mark.parametrize(
    ("configured", "tag", "words"),
    [
        ("", "other-1.2", "after v, Some.Pkg-, Some.Pkg/, release-"),
        ("pkg-", "v1.2", "this project's tags start with 'pkg-'"),
        ("pkg-", "pkg-next", "it is not a version (PEP 440) after 'pkg-'"),
        ("pkg-", "pkg-1.dev1", "development version"),
        ("pkg-", "pkg-$(id)", "it contains $ ( )"),
        ("v", "release-1", "it is not a version"),
    ],
)
def test_a_refusal_names_the_known_prefix(configured: str, tag: str, words: str) -> None:
    """The error for a wrong tag says what this project's tags start with."""
    with pytest.raises(Refused) as caught:
        Naming(configured=configured, project=lambda: "Some.Pkg").prefix_of(tag)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("in_folder", "tags", "found"),
    [
        pytest.param(False, ("v9.0", "pkg-v1.0"), {"v9.0", "pkg-v1.0"}, id="at the top both are its own"),
        pytest.param(True, ("v9.0", "pkg-v1.0"), {"pkg-v1.0"}, id="below it a name decides"),
        pytest.param(True, ("release-9.0", "pkg==1.0", "pkg/v0.9"), {"pkg==1.0", "pkg/v0.9"}, id="so does any of them"),
        pytest.param(True, ("v9.0", "other-1.0"), {"v9.0"}, id="one tag for all, while none has the name"),
    ],
)
def test_tags_of_a_project_below_the_top(*, in_folder: bool, tags: tuple[str, ...], found: set[str]) -> None:
    """In a repository of several projects, the next tag and the one on HEAD follow from the project's own tags."""
    naming = Naming(project=lambda: "pkg", in_folder=in_folder)
    assert set(naming.known(tags)) == found
    if in_folder and "pkg-v1.0" in tags:
        assert naming.new_prefix(tags) == "pkg-"
        assert naming.at(dict.fromkeys(tags, HEAD), HEAD) == "pkg-v1.0"
        assert naming.at({"v9.0": HEAD, "pkg-v1.0": OTHER}, HEAD) is None
    narrowed = naming.for_prefix("pkg-")
    assert set(narrowed.known(["pkg-v1.0", "v9.0"])) == ({"pkg-v1.0"} if in_folder else {"pkg-v1.0", "v9.0"})
    assert set(naming.for_prefix("").known(["pkg-v1.0", "v9.0"])) == ({"v9.0"} if in_folder else {"pkg-v1.0", "v9.0"})


@pytest.mark.parametrize("tag", ["../v1", "pkg/../v1", "pkg/", "-v1", "pkg//.x", "a b", "v1\x00", "@{1}"])
def test_unsafe_names_are_refused(tag: str) -> None:
    """A slash may separate segments. Names that git or a file system would interpret are refused."""
    with pytest.raises(Refused):
        refuse_unsafe(tag)


def test_project_name_is_read_only_if_needed() -> None:
    """A project whose name cannot be read can still have plain tags, but none with a name."""

    def unreadable() -> str:
        raise ConfigError("broken", next_step=NextStep("fix it"))

    naming = Naming(project=unreadable)
    assert naming.prefix_of("v1.2") == ""
    assert naming.known(["pkg-1.2", "release-1.2", "v1.2"]).keys() == {"release-1.2", "v1.2"}


@pytest.mark.parametrize(
    ("in_folder", "tags", "start"),
    [
        (True, (), "pkg-v"),
        (True, ("other@2.0",), "pkg-v"),
        (True, ("v9.0",), "v"),
        (True, ("v9.0", "pkg@1.0"), "pkg@"),
        (False, ("other@2.0",), "v"),
    ],
)
def test_the_first_tag_of_a_project_below_the_top(*, in_folder: bool, tags: tuple[str, ...], start: str) -> None:
    """It has the project's name, unless all tags so far have none."""
    naming = Naming(project=lambda: "pkg", in_folder=in_folder)
    assert pep440.tag_start(tags, prefix=naming.new_prefix(tags)) == start
    assert naming.matches(f"{start}1.0")


def test_project_name_is_read_once() -> None:
    """Reading the name reads files at a commit, and a repository of several packages has hundreds of named tags."""
    calls: list[str] = []

    def project() -> str:
        calls.append("")
        return "pkg"

    naming = Naming(project=project, in_folder=True)
    assert len(naming.known([f"pkg-{number}.0" for number in range(100)])) == 100
    assert naming.new_prefix(["pkg-1.0", "other-2.0"]) == "pkg-"
    assert len(calls) == 1


def test_prefixes_are_independent() -> None:
    """Previous, highest, twins and spellings of one prefix ignore tags with another."""
    tags = {"pkg-1.0": HEAD, "pkg-v1.1": OTHER, "v9.0": HEAD, "pkg-core-5.0": HEAD, "v1.2": OTHER}
    assert set(pep440.release_tags(tags, prefix="pkg-")) == {"pkg-1.0", "pkg-v1.1"}
    assert pep440.previous(Version("1.2"), tags, like="pkg-1.2", prefix="pkg-") == "pkg-v1.1"
    assert pep440.spellings(Version("1.2"), tags, prefix="pkg-") == ()
    pep440.refuse_twins("pkg-1.2", Version("1.2"), tags, HEAD, prefix="pkg-")
    with pytest.raises(Refused):
        pep440.refuse_twins("pkg-v1.0", Version("1.0"), tags, OTHER, prefix="pkg-")


def test_the_tag_on_a_commit() -> None:
    """Two tags of one version are one. Different versions of this project are refused, and other tags ignored."""
    naming = Naming(project=lambda: "pkg")
    assert naming.at({"pkg-1.0": HEAD, "v1.0": HEAD, "other-3.0": HEAD}, HEAD) == "v1.0"
    assert naming.at({"pkg-1.0": HEAD, "v9": OTHER}, HEAD) == "pkg-1.0"
    assert naming.at({"other-3.0": HEAD}, HEAD) is None
    with pytest.raises(Refused, match=r"different versions: v1\.0, pkg-2\.0"):
        naming.at({"pkg-2.0": HEAD, "v1.0": HEAD}, HEAD)


@pytest.mark.parametrize(
    ("configured", "tags", "start"),
    [
        ("", (), "v"),
        ("", ("1.0",), ""),
        ("", ("pkg-1.0",), "pkg-"),
        ("", ("pkg/v1.0", "v0.3"), "pkg/v"),
        ("", ("release-1.0", "v2.0"), "v"),
        ("pkg-", ("v9.0",), "pkg-v"),
        ("pkg-", ("pkg-1.0", "v9.0"), "pkg-"),
    ],
)
def test_start_of_new_tag(configured: str, tags: tuple[str, ...], start: str) -> None:
    """It starts like the highest release's tag, and always with the configured prefix."""
    naming = Naming(configured=configured, project=lambda: "pkg")
    assert pep440.tag_start(tags, prefix=naming.new_prefix(tags)) == start


@pytest.mark.parametrize(
    ("text", "kept"), [("", ""), ("v", "v"), ("pkg-", "pkg-"), ("pkg/v", "pkg/"), ("a/b-", "a/b-"), ("rev", "rev")]
)
def test_a_configured_prefix(text: str, kept: str) -> None:
    """A v at the end of a configured prefix is dropped, because it is always optional."""
    assert parse_prefix(text) == kept


@pytest.mark.parametrize("text", ["1-2", "pkg2", "../", "-x-", "a//b", "a b", "p\n", "p\u00e9-", "x.lock/", "@x-", "/"])
def test_invalid_prefix(text: str) -> None:
    """Prefixes that git or a file system would refuse, or that run into the version, are invalid."""
    with pytest.raises(ValueError, match="the text before the version"):
        parse_prefix(text)
