"""Every advice about settings, world files, the project and its name leads to a project that can be read."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from tests.support.advice_walks import Place, Walk, walk

from unmoor.adapters.process.shell import LocalShell
from unmoor.ci.github_actions import RunContext
from unmoor.config.config_file import read_config_file
from unmoor.config.credentials import index_login
from unmoor.config.real_world import real_forge
from unmoor.config.settings import resolve
from unmoor.config.worlds import read_world
from unmoor.project import guess_version, read_facts

PROJECT = '[project]\nname = "demo"\nversion = "1.0"\n'
WORLD = """\
name = "mine"
[index]
upload = "https://index.example/legacy/"
simple = "https://index.example/simple/"
json = "https://index.example/pypi/"
page = "https://index.example/{project}"
"""


def setting(text: str) -> str:
    """The table and the line of the first setting that a text gives to paste, as TOML."""
    found = re.search(r'([\w-]+ = "[^"]*") (?:under|in) (\[\[?[\w.-]+\]?\])', text)
    assert found, text
    return f"{found[2]}\n{found[1]}\n"


def _files(place: Place) -> Callable[[str], bytes | None]:
    def read(name: str) -> bytes | None:
        path = place.folder / name
        return path.read_bytes() if path.is_file() else None

    return read


def write(**files: str) -> Callable[..., object]:
    """Write files of the project; ``__`` stands for a dot in the name."""

    def begin(place: Place, *_: str) -> None:
        for name, text in files.items():
            (place.folder / name.replace("__", ".")).write_text(text)

    return begin


def remove(name: str) -> Callable[[Place, str], object]:
    """Remove a file."""
    return lambda place, _: (place.folder / name).unlink()


def append(text_of: Callable[[str], str]) -> Callable[[Place, str], object]:
    """Add to pyproject.toml what the advice gives."""

    def follow(place: Place, text: str) -> None:
        path = place.folder / "pyproject.toml"
        path.write_text(path.read_text() + text_of(text))

    return follow


def _settings(place: Place) -> object:
    return resolve(_files(place), environ={})


def _facts(place: Place) -> object:
    read = _files(place)
    resolved = resolve(read, environ={}).settings
    return read_facts(read, project=resolved.project), guess_version(read)


def _world(place: Place) -> object:
    return read_world(place.folder / place.kept.get("world", "world.toml"), dict(os.environ))


def _world_of(text: str, mode: int = 0o600) -> Callable[[Place], object]:
    def begin(place: Place) -> None:
        path = place.folder / "world.toml"
        path.write_text(text)
        path.chmod(mode)

    return begin


def _literal(place: Place, text: str) -> None:
    """Write a reference of a kind that the advice lists in place of the password."""
    found = re.search(r"env:\w+", text)
    assert found, text
    _world_of(WORLD + f'password = "{found[0]}"\n')(place)


def _environ(**values: str) -> Callable[..., object]:
    return lambda place, *_: place.kept.update(environ=values)


def _named_in_settings(place: Place, text: str) -> None:
    place.kept["path"] = re.sub(r"^name a folder such as ", "", text)


SETUP = "from setuptools import setup\nimport names\nsetup(name=names.find(), version='1.0')\n"
WALKS: dict[str, Walk] = {
    "correct-file": Walk(
        begin=write(pyproject__toml="[project\n"), act=_settings, follow=write(pyproject__toml=PROJECT)
    ),
    "correct-file fact": Walk(
        begin=write(setup__cfg="name = demo\n"), act=_facts, follow=write(setup__cfg="[metadata]\nname = demo\n")
    ),
    "keep-one-place": Walk(
        begin=write(pyproject__toml=f"{PROJECT}[tool.unmoor]\ndeadline = 99\n", unmoor__toml="deadline = 99\n"),
        act=_settings,
        follow=remove("unmoor.toml"),
    ),
    "name-settings-file": Walk(
        begin=write(unmoor__toml="deadline = 99\n"),
        act=lambda place: read_config_file(place.folder / place.kept.get("config", "none.toml")),
        follow=lambda place, _: place.kept.update(config="unmoor.toml"),
    ),
    "correct-pypirc": Walk(
        begin=write(__pypirc="[pypi\n"),
        act=lambda place: index_login("pypi", "https://index.example/legacy/", {"HOME": str(place.folder)}),
        follow=write(__pypirc="[pypi]\nusername = __token__\n"),
    ),
    "correct-variable": Walk(
        begin=_environ(GITHUB_API_URL="api.example"),
        act=lambda place: real_forge("owner/name", place.kept["environ"]),
        follow=_environ(),
    ),
    "describe-forge": Walk(
        begin=_environ(GITHUB_API_URL="https://forge.example/other"),
        act=lambda place: _world(place) if "world" in place.kept else real_forge("owner/name", place.kept["environ"]),
        follow=lambda place, text: (
            place.kept.update(world="world.toml"),
            _world_of(
                f"{WORLD}{text.partition(': ')[2].partition(' ')[0]}\n"
                + "".join(f'{key} = "https://forge.example/{key}"\n' for key in re.findall(r"api|uploads|site", text))
            )(place),
        ),
    ),
    "keep-variable": Walk(
        begin=_environ(GITHUB_ACTIONS="true", GITHUB_OUTPUT="here"),
        act=lambda place: RunContext.from_environ(place.kept["environ"]),
        follow=_environ(GITHUB_OUTPUT="here"),
    ),
    "name-world-file": Walk(
        begin=lambda place: (_world_of(WORLD)(place), place.kept.update(world="none.toml")),
        act=_world,
        follow=lambda place, _: place.kept.update(world="world.toml"),
    ),
    "write-reference": Walk(begin=_world_of(f'{WORLD}password = "hunter2"\n'), act=_world, follow=_literal),
    "protect-file": Walk(
        begin=_world_of(WORLD.replace("https://index.example", "http://127.0.0.1:9") + 'password = "x"\n', 0o644),
        act=_world,
        follow=lambda place, text: place.run(text),
    ),
    "set-project": Walk(
        begin=write(setup__py=SETUP, pyproject__toml="[build-system]\nrequires = []\n"),
        act=_facts,
        follow=append(lambda text: setting(text).replace("NAME", "demo")),
    ),
    "name-project": Walk(
        begin=write(pyproject__toml='[project]\nversion = "1.0"\n'),
        act=_facts,
        follow=append(lambda text: setting(text.partition("; or, ")[2]).replace("NAME", "demo")),
    ),
    "name-project in its table": Walk(
        begin=write(pyproject__toml="[build-system]\nrequires = []\n"),
        act=_facts,
        follow=append(lambda text: setting(text).replace("NAME", "demo")),
    ),
    "correct-project-name": Walk(
        begin=write(pyproject__toml='[project]\nname = "demo?"\nversion = "1.0"\n'),
        act=_facts,
        follow=append(lambda text: setting(text).replace("NAME", "demo")),
    ),
    "commit-project": Walk(begin=lambda _: None, act=_facts, follow=write(pyproject__toml=PROJECT)),
    "write-plain-version": Walk(
        begin=write(pyproject__toml='[project]\nname = "demo"\nversion = "1\\u002e0"\n'),
        act=_facts,
        follow=lambda place, text: write(
            pyproject__toml=f'[project]\nname = "demo"\n{text.partition("such as ")[2]}\n'
        )(place),
    ),
    "correct-version-pattern": Walk(
        begin=write(
            pyproject__toml="[build-system]\nbuild-backend = 'hatchling.build'\nrequires = ['hatchling']\n"
            "[project]\nname = 'demo'\ndynamic = ['version']\n[tool.hatch.version]\npath = 'v.py'\npattern = '(1'\n",
            v__py="1.0\n",
        ),
        act=_facts,
        follow=lambda place, _: write(
            pyproject__toml=(place.folder / "pyproject.toml").read_text().replace("'(1'", "'(?P<version>.+)'")
        )(place),
    ),
}


@pytest.mark.parametrize("name", WALKS)
def test_advice_is_followed(name: str, tmp_path: Path) -> None:
    """The settings and files that the advice writes are accepted, or end in another error."""
    walk(name, WALKS, Place(folder=tmp_path, shell=cast("LocalShell", None)))
