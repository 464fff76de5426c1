"""Nothing that a repository's own configuration names is run, and it cannot move the checkout elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support.git_repos import Repo

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.shell import LocalShell
from unmoor.errors import Refused
from unmoor.rehearsal.prepare import prepare

# Settings of .git/config that name a program, with RUN for the program. Git runs some of them only as a filter or a
# helper for files that the attributes select.
TRAPS: Mapping[str, Mapping[str, str]] = {
    "file system monitor": {"core.fsmonitor": "RUN"},
    "hooks": {"core.hooksPath": "HOOKS"},
    "pager": {"core.pager": "RUN", "pager.status": "RUN", "pager.log": "RUN", "pager.show": "RUN", "pager.diff": "RUN"},
    "editor": {"core.editor": "RUN", "sequence.editor": "RUN"},
    "external diff": {"diff.external": "RUN", "diff.trap.command": "RUN", "diff.trap.textconv": "RUN"},
    "clean filter": {"filter.trap.clean": "RUN", "filter.trap.required": "true"},
    "smudge filter": {"filter.trap.smudge": "RUN", "filter.trap.required": "true"},
    "filter process": {"filter.trap.process": "RUN", "filter.trap.required": "true"},
    "a filter called lfs": {"filter.lfs.clean": "RUN", "filter.lfs.smudge": "RUN", "filter.lfs.process": "RUN"},
    "names with other letters": {"filter.a.b.clean": "RUN", "filter.A=B.process": "RUN", "filter.A=B.clean": "RUN"},
    "several values": {"filter.trap.clean": "cat", "filter.TRAP.clean": "RUN"},
    "signatures": {
        "commit.gpgSign": "true",
        "tag.gpgSign": "true",
        "gpg.program": "RUN",
        "gpg.format": "ssh",
        "gpg.ssh.program": "RUN",
        "gpg.ssh.defaultKeyCommand": "RUN",
        "log.showSignature": "true",
    },
    "transports": {
        "core.sshCommand": "RUN",
        "core.gitProxy": "RUN",
        "core.askPass": "RUN",
        "credential.helper": "!RUN",
    },
    "packs": {
        "uploadpack.packObjectsHook": "RUN",
        "core.alternateRefsCommand": "RUN",
        "remote.origin.uploadpack": "RUN",
    },
    "an alias": {f"alias.{name}": "!RUN" for name in ("status", "log", "rev-parse", "clone", "lfs", "checkout")},
    "a driver": {"merge.trap.driver": "RUN", "trailer.trap.command": "RUN", "tar.trap.command": "RUN"},
    "a template": {"init.templateDir": "TEMPLATE"},
    "an included file": {"include.path": "INCLUDED"},
    "an included file for this branch": {"includeIf.onbranch:main.path": "INCLUDED"},
    "a monitor for maintenance": {"maintenance.auto": "true", "gc.auto": "1", "gc.recentObjectsHook": "RUN"},
}
ATTRIBUTES = "* filter=trap diff=trap merge=trap\n*.lfs filter=lfs\n*.dot filter=a.b\n*.upper filter=A=B\n"


def armed(repo: Repo, aside: Path, settings: Mapping[str, str]) -> Path:
    """Set traps in a repository. Returns the file to which they write when they run."""
    aside.mkdir()
    ran, program, hooks = aside / "ran", aside / "trap", aside / "hooks"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> "{ran}"\ncat\n')
    program.chmod(0o755)
    for folder in (hooks, aside / "template" / "hooks"):
        folder.mkdir(parents=True)
        for name in ("post-checkout", "pre-commit", "prepare-commit-msg", "post-commit", "reference-transaction"):
            folder.joinpath(name).write_bytes(program.read_bytes())
            folder.joinpath(name).chmod(0o755)
    included = f'[core]\n\tfsmonitor = {program}\n[filter "trap"]\n\tclean = {program}\n'
    (aside / "included").write_text(included)
    places = {"RUN": str(program), "HOOKS": str(hooks), "TEMPLATE": str(aside / "template")}
    places["INCLUDED"] = str(aside / "included")
    for name, value in settings.items():
        repo.git(
            "config", name, next((value.replace(key, place) for key, place in places.items() if key in value), value)
        )
    return ran


@pytest.fixture
def files() -> dict[str, str]:
    """A project with attributes, and with files for them."""
    project = '[project]\nname = "small-one"\nversion = "1.0"\n'
    return {".gitattributes": ATTRIBUTES, "pyproject.toml": project, "a.lfs": "a", "b.dot": "b", "c.upper": "c"}


@pytest.mark.parametrize("trap", TRAPS)
def test_no_program_of_the_repository_runs(trap: str, files: dict[str, str], tmp_path: Path, shell: LocalShell) -> None:
    """Reading a checkout, cloning it and preparing a rehearsal run nothing that its configuration names."""
    repo = Repo.new(tmp_path / "repo", files)
    repo.git("tag", "v1.0")
    repo.remote(tmp_path / "remote.git")
    (repo.path / "untracked").write_text("new")
    for name in (*files, "a.lfs"):
        os.utime(repo.path / name, (1, 1))  # git has to look into files that it last saw with another time
    ran = armed(repo, tmp_path / "aside", TRAPS[trap])
    checkout = GitCheckout(repo.path, shell)
    head = checkout.head()
    assert head is not None
    assert checkout.changed() == ()
    checkout.tags(), checkout.remote(), checkout.files(head), checkout.date_of(head), checkout.shallow()
    checkout.log(since=None, until=head)
    assert checkout.read(head, "a.lfs") == b"a"
    checkout.clone(tmp_path / "clone", commit=head, tag="v1.0")
    assert not (tmp_path / "clone" / ".git" / "hooks").exists()
    prepare(checkout, shell, tmp_path / "rehearsal", tag=None)
    assert not ran.exists(), ran.read_text()


def test_filters_of_a_submodule(files: dict[str, str], tmp_path: Path, shell: LocalShell) -> None:
    """Git compares the files of a submodule with that one's configuration, which counts as little."""
    inner = Repo.new(tmp_path / "inner", files)
    repo = Repo.new(tmp_path / "repo")
    repo.git("submodule", "--quiet", "add", str(inner.path), "inner")
    repo.git("commit", "--quiet", "-m", "Add a submodule")
    module = Repo(repo.path / "inner")
    ran = armed(module, tmp_path / "aside", {**TRAPS["clean filter"], **TRAPS["file system monitor"]})
    for name in files:
        os.utime(module.path / name, (1, 1))
    assert GitCheckout(repo.path, shell).changed() == ()
    assert not ran.exists(), ran.read_text()
    module.write({"a.lfs": "changed"})
    assert GitCheckout(repo.path, shell).changed() == ("inner",)


def test_filters_of_the_user_still_run(tmp_path: Path, shell: LocalShell) -> None:
    """What the user has configured for all repositories counts, also where the repository says something else."""
    home = tmp_path / "home"
    home.mkdir()
    repo = Repo.new(tmp_path / "repo", {".gitattributes": "*.txt filter=upper\n", "a.txt": "A\n"})
    ran = armed(repo, tmp_path / "aside", {"filter.upper.clean": "RUN"})
    (home / ".gitconfig").write_text('[filter "upper"]\n\tclean = tr a-z A-Z\n')
    (repo.path / "a.txt").write_text("a\n")
    environ = {"PATH": os.environ["PATH"], "HOME": str(home)}
    assert GitCheckout(repo.path, shell, environ=environ).changed() == ()
    assert GitCheckout(repo.path, shell, environ={"PATH": os.environ["PATH"]}).changed() == ("a.txt",)
    assert not ran.exists(), ran.read_text()


@pytest.mark.parametrize("where", ["/", "../..", "../../other"])
def test_files_elsewhere(where: str, tmp_path: Path, shell: LocalShell) -> None:
    """A repository cannot say that its files are in another folder, where a release would then write."""
    above = Repo.new(tmp_path / "above")
    Repo.new(above.path / "other")
    repo = Repo.new(above.path / "repo")
    repo.git("config", "core.worktree", where)
    with pytest.raises(Refused, match="its files are in") as caught:
        GitCheckout(repo.path, shell).shallow(), GitCheckout(repo.path, shell).folder
    assert "core.worktree" in caught.value.next_step


def test_checkouts_of_every_kind(tmp_path: Path, shell: LocalShell) -> None:
    """A clone, a work tree, a submodule and a folder below are accepted, and a setting that changes nothing."""
    inner = Repo.new(tmp_path / "inner")
    repo = Repo.new(tmp_path / "repo", {"below/a": "a"})
    repo.git("submodule", "--quiet", "add", str(inner.path), "module")
    repo.git("worktree", "add", "--quiet", str(tmp_path / "tree"))
    repo.git("config", "core.worktree", "..")
    (tmp_path / "link").symlink_to(repo.path)
    for start, top in (("repo/below", "repo"), ("repo/module", "repo/module"), ("tree", "tree"), ("link", "repo")):
        assert GitCheckout(tmp_path / start, shell).folder == tmp_path / top
