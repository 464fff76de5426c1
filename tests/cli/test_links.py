"""Every command that uses ``.unmoor`` stops at a link in it before anything is read, written or removed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tests.support.git_repos import Repo
from tests.support.local_release import small_repo

from unmoor.cli.app import run

pytestmark = pytest.mark.timeout(60)

COMMANDS = {
    "rehearse": ("rehearse", "v1.0"),
    "rehearse without images": ("rehearse", "--without-images"),
    "release": ("release", "v1.0"),
    "release into a world": ("release", "--world", ".unmoor/world/world.toml", "v1.0"),
    "dry run": ("release", "--dry-run", "--until", "dists", "v1.0"),
    "plan": ("plan", "v1.0"),
    "status": ("status", "v1.0"),
    "undo": ("undo", "v1.0"),
    "undo --apply": ("undo", "--apply", "v1.0"),
    "notes": ("notes", "v1.0"),
    "clean": ("clean", "images"),
    "world": ("world", "up"),
    "world in a folder": ("world", "up", "--dir", ".unmoor/world"),
}
"""The arguments of each command."""


def state(folder: Path) -> list[tuple[str, bytes | None]]:
    """Every entry below a folder, with the bytes of files and the targets of links; git's own files are left out."""
    found: list[tuple[str, bytes | None]] = []
    for top, folders, files in os.walk(folder):
        if ".git" in folders:
            folders.remove(".git")
        for name in (*folders, *files):
            path = Path(top, name)
            if path.is_symlink():
                found.append((str(path), str(path.readlink()).encode()))
            else:
                found.append((str(path), path.read_bytes() if path.is_file() else None))
    return sorted(found, key=str)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository that no test changes, except below ``.unmoor``."""
    return small_repo(tmp_path_factory.mktemp("made") / "repo")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """What a link leads to: a folder that looks like ours."""
    folder = tmp_path / "target"
    for name in ("rehearsal", "v1.0/dists", "world"):
        (folder / name).mkdir(parents=True)
        (folder / name / "precious").write_bytes(b"theirs")
    return folder


def refused(repo: Repo, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command in the checkout, require that it is refused, and return what it printed."""
    code = run([*arguments, "--directory", str(repo.path)])
    said = capsys.readouterr()
    assert code == 4, said.err
    assert said.out == ""
    return said.err


@pytest.mark.parametrize("link", [".unmoor", ".unmoor/rehearsal", ".unmoor/v1.0", ".unmoor/v1.0/dists"])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command(made: Repo, target: Path, command: str, link: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The link is named with its target and what to do; the checkout and the target stay as they are."""
    path = made.path / link
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target.joinpath(*Path(link).parts[1:]))
    before = state(made.path), state(target)
    try:
        said = refused(made, COMMANDS[command], capsys)
        assert f"{path}: a link to {target}" in said
        assert f"remove the link: rm {path}" in said
        assert (state(made.path), state(target)) == before
    finally:
        path.unlink()
        shutil.rmtree(made.path / ".unmoor", ignore_errors=True)


@pytest.mark.parametrize("command", ["rehearse", "dry run", "plan", "notes"])
def test_a_link_that_is_only_in_the_commit(
    tmp_path: Path, target: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A link that git tracks is refused in a checkout, and where a command makes its own clone."""
    repo = small_repo(tmp_path / "repo")
    (repo.path / ".unmoor").symlink_to(target)
    repo.git("add", "--force", ".unmoor")
    repo.git("commit", "--quiet", "-m", "Add a link")
    repo.git("tag", "--force", "v1.0")
    if command in {"rehearse", "notes"}:
        repo.git("rm", "--quiet", ".unmoor")  # gone here, but not in the tag
    before = state(target)
    said = refused(repo, COMMANDS[command], capsys)
    assert f".unmoor: a link to {target}" in said
    assert "if git tracks it, commit that" in said
    assert state(target) == before


def test_a_checkout_that_a_link_leads_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Links above the checkout change nothing, even in a folder of the same name."""
    small_repo(tmp_path / ".unmoor" / "real" / "repo")
    (tmp_path / ".unmoor" / "short").symlink_to("real/repo")
    monkeypatch.chdir(tmp_path)
    assert run(["plan", "v1.0", "--directory", ".unmoor/short"]) == 4
    assert "the checkout has no remote" in capsys.readouterr().err
    assert run(["notes", "v1.0", "--directory", ".unmoor/short"]) == 0
    assert "It floats." in capsys.readouterr().out
