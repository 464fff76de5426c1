"""unmoor imports nothing from the repository that it releases, nor from the folder that it runs in."""

from __future__ import annotations

import ntpath
import os
import posixpath
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.support.git_repos import Repo
from tests.support.local_release import UNMOOR
from tests.support.systems import posix

from unmoor.util.import_path import absolute_folders

# Modules that unmoor, or a library that it uses, imports: planted ones write down that they ran.
NAMES = [
    *(
        "click",
        "msgspec",
        "rich",
        "packaging",
        "requests",
        "docker",
        "github",
        "jwt",
        "build",
        "uv",
        "twine",
        "keyring",
    ),
    *("starlette", "uvicorn", "h11", "towncrier", "jinja2", "markdown_it", "docutils", "tomli_w", "regex", "isal"),
    *(
        "json",
        "tomllib",
        "ctypes",
        "subprocess",
        "selectors",
        "tempfile",
        "asyncio",
        "argparse",
        "email",
        "http",
        "ssl",
    ),
    *("platform", "site", "secrets", "hashlib", "urllib", "decimal", "shlex", "shutil", "string", "ast", "_ctypes"),
]
PLANTED = "import os\nwith open({ran!r}, 'a') as stream:\n    stream.write(__name__ + os.linesep)\n"
WHOLE = pytest.mark.journey  # a whole command each; the fast tests try one with each kind of variable
MODULE = [sys.executable, "-m", "unmoor"]
SCRIPT = [str(UNMOOR)]
# What measures coverage starts before unmoor, and imports from the folder as it likes.
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


def planted(folder: Path, ran: Path, *more: str) -> None:
    """Plant modules in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*NAMES, *more):
        (folder / f"{name}.py").write_text(PLANTED.format(ran=str(ran)))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository that is full of planted modules, at its top and in ``src``."""
    repo = Repo.new(tmp_path / "repo", {"pyproject.toml": '[project]\nname = "small-one"\nversion = "1.0"\n'})
    for folder in (repo.path, repo.path / "src"):
        planted(folder, tmp_path / "ran")
    repo.git("tag", "v1.0")
    return repo.path


WAYS: dict[str, tuple[list[str], str | None, str]] = {
    "the module": (MODULE, None, "."),
    "the module, safely": ([sys.executable, "-P", "-m", "unmoor"], None, "."),
    "the module, in src": (MODULE, None, "src"),
    "the script": (SCRIPT, None, "."),
    "an empty variable": (SCRIPT, "", "."),
    "an empty entry": (SCRIPT, os.pathsep, "."),
    "an entry that is added to nothing": (SCRIPT, f"/nowhere{os.pathsep}", "."),
    "the current folder": (SCRIPT, ".", "."),
    "a relative folder": (SCRIPT, "src", "."),
    "a folder above": (SCRIPT, "..", "src"),
    "an absolute folder": (SCRIPT, "{repo}/src", "."),
    "a folder of another repository": (SCRIPT, "{repo}/src", "/"),
    "a link to a folder": (SCRIPT, "{link}", "."),
    "the module and a variable": (MODULE, f"src{os.pathsep}.", "."),
}


@pytest.mark.parametrize(
    ("way", "command"),
    [
        *(
            pytest.param(way, "notes v1.0", marks=() if way in {"the module", "a relative folder"} else WHOLE)
            for way in WAYS
        ),
        ("the module", "--version"),
        ("the module", "--help"),
    ],
)
def test_nothing_of_the_repository_is_imported(way: str, command: str, repo: Path, tmp_path: Path) -> None:
    """However unmoor is started, and wherever, the planted modules stay unused."""
    program, python_path, folder = WAYS[way]
    if way == "a link to a folder":
        (tmp_path / "link").symlink_to(repo / "src")
    env = {name: value for name, value in ENVIRON.items() if not name.startswith("PYTHON")}
    if python_path is not None:
        env["PYTHONPATH"] = python_path.format(repo=repo, link=tmp_path / "link")
    ran = subprocess.run(
        [*program, *command.split()], cwd=repo / folder, env=env, capture_output=True, check=False, timeout=60
    )
    assert ran.returncode == 0 or folder == "/", ran.stderr
    assert not (tmp_path / "ran").exists(), (tmp_path / "ran").read_text()


def test_the_planted_modules_would_run(repo: Path, tmp_path: Path) -> None:
    """The tests above would notice: Python by itself does import them."""
    subprocess.run([sys.executable, "-c", "import click"], cwd=repo, check=False, capture_output=True)
    assert "click" in (tmp_path / "ran").read_text()


def test_a_folder_that_is_no_repository_stays(tmp_path: Path) -> None:
    """A folder of libraries in PYTHONPATH is still searched, by unmoor and by what it starts."""
    planted(tmp_path / "libraries", tmp_path / "ran")
    env = ENVIRON | {"PYTHONPATH": f"{tmp_path / 'libraries'}{os.pathsep}."}
    code = (
        "import os, sys, unmoor.cli\nsys.argv[1:] = ['--version']\nunmoor.cli.main()\nprint(os.environ['PYTHONPATH'])"
    )
    ran = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines()[1:] == [str(tmp_path / "libraries")]


@posix  # sends a signal
def test_the_servers_of_a_rehearsal_import_nothing_from_their_folder(repo: Path, tmp_path: Path) -> None:
    """A local world runs beside modules that are planted in its folder, which may be committed."""
    planted(repo / ".unmoor" / "world", tmp_path / "ran", "sitecustomize", "usercustomize", "unmoor")
    (repo / ".unmoor" / "world").chmod(0o700)
    env = {**ENVIRON, "PYTHONPATH": ".", "PYTHONSTARTUP": str(repo / "click.py")}
    process = subprocess.Popen(
        [*SCRIPT, "world", "up"], cwd=repo, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    file = process.stdout.readline().strip()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert Path(file).name == "world.toml"
    assert not (tmp_path / "ran").exists(), (tmp_path / "ran").read_text()


@posix  # plants shell scripts; the table below has the rules of each system
@pytest.mark.parametrize(
    "path",
    [
        "::bin:{path}:.",
        *(pytest.param(each, marks=WHOLE) for each in ("{path}:", ":{path}", ".:{path}", "bin:{path}")),
    ],
)
def test_no_program_of_the_repository_runs(path: str, repo: Path, tmp_path: Path) -> None:
    """A relative or empty entry of PATH leads to no program in the repository, though it is the first."""
    for folder in (repo, repo / "bin"):
        folder.mkdir(exist_ok=True)
        for name in ("git", "docker", "uv", "keyring"):
            (folder / name).write_text(f"#!/bin/sh\necho {name} >> '{tmp_path / 'ran'}'\n")
            (folder / name).chmod(0o755)
    env = {**ENVIRON, "PATH": path.format(path=ENVIRON["PATH"])}
    ran = subprocess.run([*SCRIPT, "notes", "v1.0"], cwd=repo, env=env, capture_output=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert not (tmp_path / "ran").exists(), (tmp_path / "ran").read_text()


@pytest.mark.parametrize(
    ("rules", "separator", "path", "kept"),
    [
        (posixpath, ":", "/bin:.::bin:/usr/bin", "/bin:/usr/bin"),
        (posixpath, ":", ".:", ""),
        (ntpath, ";", r".;C:\Windows;bin;\\server\tools;..\x;C:x", r"C:\Windows;\\server\tools"),
        (ntpath, ";", r'"C:\Program Files\Git\cmd";".";;C:\Windows', r'"C:\Program Files\Git\cmd";C:\Windows'),
        (ntpath, ";", r".;C:\bin", r"C:\bin"),
    ],
)
def test_absolute_folders(rules: ModuleType, separator: str, path: str, kept: str) -> None:
    """Only absolute folders stay in a search path; those of Windows may be quoted."""
    assert absolute_folders(path, rules, separator) == kept
