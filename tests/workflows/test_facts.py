"""What the workflows read from a project's files."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from unmoor.config.images import ImageSettings
from unmoor.config.settings import Settings
from unmoor.config.workflows import WorkflowSettings
from unmoor.project.files import Files
from unmoor.workflows.facts import WorkflowFacts, read_facts, tag_patterns

PYPROJECT = "pyproject.toml"
SYSTEMS = ("linux", "linux-arm", "macos", "windows")


def files_of(texts: Mapping[str, str]) -> Files:
    """The files of a project by their texts."""
    return Files(lambda path: texts[path].encode() if path in texts else None, lambda: tuple(texts))


def facts_of(texts: Mapping[str, str], settings: Settings | None = None, *, path: str = "") -> WorkflowFacts:
    """The facts of a project that has these files."""
    return read_facts(files_of(texts), settings or Settings(), project="small", path=path)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({PYPROJECT: '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"'}, ()),
        ({PYPROJECT: '[tool.cibuildwheel]\nskip = "pp*"'}, SYSTEMS),
        ({PYPROJECT: '[build-system]\nrequires = ["maturin>=1"]\nbuild-backend = "maturin"'}, SYSTEMS),
        ({PYPROJECT: '[build-system]\nrequires = ["x"]\nbuild-backend = "scikit_build_core.build"'}, SYSTEMS),
        ({PYPROJECT: '[build-system]\nrequires = ["setuptools", "Cython<4"]'}, SYSTEMS),
        ({PYPROJECT: '[[tool.setuptools.ext-modules]]\nname = "a"\nsources = ["a.c"]'}, SYSTEMS),
        ({"setup.py": "from setuptools import setup\nsetup(ext_modules=[Extension('a', ['a.c'])])"}, SYSTEMS),
        ({"setup.py": "from setuptools import setup\nsetup(ext_modules=modules())"}, SYSTEMS),
        ({"setup.py": "from setuptools import setup\nsetup(ext_modules=[])"}, ()),
        ({}, ()),
    ],
)
def test_a_project_that_compiles_builds_wheels_on_every_system(
    texts: Mapping[str, str], expected: tuple[str, ...]
) -> None:
    """Settings of cibuildwheel, the backend, the build requirements and extension modules each say so."""
    assert facts_of(texts).wheels == expected
    assert facts_of(texts, Settings(formats=("sdist",))).wheels == ()
    own = Settings(workflows=WorkflowSettings(wheels=("macos",)))
    assert facts_of(texts, own).wheels == ("macos",)


@pytest.mark.parametrize(
    ("text", "skipped"),
    [
        ("", ""),
        ('[tool.cibuildwheel]\nskip = "pp* cp38-*"', "pp* cp38-*"),
        ('[tool.cibuildwheel]\nskip = ["pp*", "cp38-*"]', "pp* cp38-*"),
        ('[tool.cibuildwheel]\nskip = "pp*"\n[tool.cibuildwheel.linux]\nskip = ["cp38-*"]', "cp38-*"),
        ('[tool.cibuildwheel]\nskip = "pp*"\n[tool.cibuildwheel.macos]\nskip = "cp38-*"', "pp*"),
        ("[tool.cibuildwheel]\nskip = 1", ""),
    ],
)
def test_what_cibuildwheel_skips_stays_skipped(text: str, skipped: str) -> None:
    """A variable of the job replaces the project's list, so the list is a part of it: a text or a list of texts."""
    assert facts_of({PYPROJECT: text}).skipped_wheels == skipped


@pytest.mark.parametrize(
    ("images", "names", "expected"),
    [
        ((), ("setup.py",), ()),
        ((), ("Dockerfile",), ("linux/amd64",)),
        ((ImageSettings(platforms=("linux/amd64", "linux/arm64")),), ("a",), ("linux/amd64", "linux/arm64")),
        (
            (ImageSettings(platforms=("linux/arm64/v8",)), ImageSettings(platforms=("linux/amd64", "linux/arm64"))),
            (),
            ("linux/arm64", "linux/amd64"),
        ),
    ],
)
def test_platforms_are_those_of_every_image(
    images: tuple[ImageSettings, ...], names: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """A Dockerfile alone is an image, and two spellings of a platform are one."""
    assert facts_of(dict.fromkeys(names, ""), Settings(image=images)).platforms == expected


@pytest.mark.parametrize(
    ("prefix", "project", "expected"),
    [
        ("", "", ("v[0-9]*", "[0-9]*")),
        ("v", "", ("v[0-9]*",)),
        ("pkg-", "", ("pkg-v[0-9]*", "pkg-[0-9]*")),
        ("pkg/v", "", ("pkg/v[0-9]*", "pkg/[0-9]*")),
        ("c++-", "", (r"c\+\+-v[0-9]*", r"c\+\+-[0-9]*")),
        ("", "small", ("small-v[0-9]*", "small-[0-9]*")),
        ("v", "small", ("v[0-9]*",)),
    ],
)
def test_tags_start_the_release_by_these_patterns(prefix: str, project: str, expected: tuple[str, ...]) -> None:
    """Characters with a meaning in filter patterns are escaped: ``+`` would repeat the one before it."""
    assert tag_patterns(prefix, project=project) == expected


def test_a_project_in_a_folder_has_tags_with_its_name() -> None:
    """Without a configured prefix its tags begin with its name, as those that `unmoor tag` makes do."""
    assert facts_of({}, path="packages/small").tags == ("small-v[0-9]*", "small-[0-9]*")
    assert facts_of({}).tags == ("v[0-9]*", "[0-9]*")
