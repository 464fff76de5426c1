"""Limits on counts and sizes, and the page that lists every rule."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.dists.checks import page
from tests.dists.checks.packing import Sdist, Wheel

from unmoor.artifacts.files import describe_file
from unmoor.dists.checks import RULES, Examiner, Limits, examine, sizes, tars, zips
from unmoor.ports.world import WheelPlatforms
from unmoor.products import File
from unmoor.util.values import replace

BOTH = pytest.mark.parametrize("make", [Wheel(name="light-house"), Sdist(name="light-house")], ids=["wheel", "sdist"])


def rules(folder: Path, file: tuple[str, bytes], limits: Limits) -> set[str]:
    """The rules that a file breaks."""
    path = folder / file[0]
    path.write_bytes(file[1])
    return {problem.rule.name for problem in Examiner(limits).examine(describe_file(path)).problems}


@BOTH
def test_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Wheel | Sdist) -> None:
    """An archive with too many members is refused before they are checked."""
    monkeypatch.setattr(zips, "COUNT_LIMIT", 1)
    monkeypatch.setattr(tars, "COUNT_LIMIT", 1)
    assert "archive-members" in rules(tmp_path, make.file(), Limits())


@BOTH
def test_total(tmp_path: Path, make: Wheel | Sdist) -> None:
    """An archive that unpacks to too much is refused before it is unpacked."""
    assert "archive-total" in rules(tmp_path, make.file(), Limits(total=20))


@BOTH
def test_bomb(tmp_path: Path, make: Wheel | Sdist) -> None:
    """A file that unpacks to many times its size is refused, above a minimum size."""
    rule = "archive-bomb" if isinstance(make, Wheel) else "archive-bomb-sdist"
    assert rule not in rules(tmp_path, make.file(), Limits(ratio=0))
    assert rule in rules(tmp_path, make.file(), Limits(ratio=0, ratio_from=0))


@BOTH
def test_metadata_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Wheel | Sdist) -> None:
    """A file of metadata that is too long to be read into memory is refused by a rule of unmoor's own."""
    monkeypatch.setattr(examine, "MEMBER_LIMIT", 40)
    monkeypatch.setattr(tars, "MEMBER_LIMIT", 40)
    assert "archive-metadata-size" in rules(tmp_path, make.file(), Limits())


@pytest.mark.parametrize("platform", ["linux_x86_64", "manylinux_2_17_x86_64.linux_x86_64", "macosx_16_0_arm64"])
def test_platform(tmp_path: Path, platform: str) -> None:
    """A platform that PyPI does not accept is refused, is a warning on a stand-in for PyPI, or may be any."""
    file = replace(Wheel(name="light-house"), tag=f"py3-none-{platform}").file()
    found = {each: rules(tmp_path, file, Limits(platforms=each)) for each in WheelPlatforms}
    names = {"wheel-platform", "wheel-platform-local"}
    assert {each: names & broken for each, broken in found.items()} == {
        WheelPlatforms.PUBLIC: {"wheel-platform"},
        WheelPlatforms.LENIENT: {"wheel-platform-local"},
        WheelPlatforms.ANY: set(),
    }


def test_project() -> None:
    """Files that are too large together cause a warning only, because the size of earlier releases is unknown here."""
    file = File(name="a-1.0-py3-none-any.whl", sha256="0" * 64, size=6 << 30, path=Path("none"))
    problems = list(sizes.check_files([file, replace(file, name="b", sha256="1" * 64)]))
    assert [(problem.rule.name, problem.rule.warns) for problem in problems] == [("project-size", True)]
    assert list(sizes.check_files([file])) == []


def test_the_page_lists_every_rule() -> None:
    """The reference page has a row for each rule, with its test. `python -m tests.dists.checks.page` writes it."""
    assert page.PAGE.read_text("utf-8") == page.page()
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("name", sorted(set(page.ELSEWHERE.values())))
def test_the_page_names_tests_that_exist(name: str) -> None:
    """Each test that the page names exists."""
    path, _, function = name.partition("::")
    assert f"\ndef {function}(" in (page.ROOT / path).read_text("utf-8")
