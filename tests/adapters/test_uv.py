"""Environments are fresh and get no secrets, and errors say why an install failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from unmoor.adapters.uv import Uv
from unmoor.errors import CheckFailed, ToolMissing
from unmoor.ports.environments import Environments
from unmoor.util.values import replace


def test_fresh_environment_runs_its_own_python(uv: Uv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program finds the environment's interpreter first, and gets no other variables of this process.

    Nothing tells its Python to behave otherwise than in a shell: a suite may test that bytecode is written.
    """
    monkeypatch.setenv("GITHUB_TOKEN", "t0ken")
    environments: Environments = Uv(shell=uv.shell)
    environment = environments.fresh(tmp_path / "env")
    ran = environment.run(
        ["python", "-c", "import os, sys; print(sys.prefix); print(sorted(os.environ))"], cwd=tmp_path, env={"A": "b"}
    )
    prefix, names = ran.out.splitlines()
    assert prefix == str(tmp_path / "env")
    assert "'A'" in names
    assert "'VIRTUAL_ENV'" in names
    assert "GITHUB_TOKEN" not in names
    assert "PYTHON" not in names


@pytest.mark.parametrize("name", ["A. Smith", 'A "quoted" \\ name; # and more', ""])
def test_tests_can_make_commits(uv: Uv, tmp_path: Path, name: str) -> None:
    """The user's name for git is known in an environment, and no other setting of git."""
    git = ("git", "config", "--file", str(tmp_path / ".gitconfig"))
    for setting in (("user.name", name), ("credential.helper", "store"), ("http.extraHeader", "s3cret")):
        assert not name or uv.shell.run([*git, *setting], cwd=tmp_path, env=uv.environ).code == 0
    environment = replace(uv, environ={**uv.environ, "HOME": str(tmp_path)}).fresh(tmp_path / "env")
    ran = environment.run(["git", "config", "--global", "-z", "--list"], cwd=tmp_path)
    assert ran.out == (f"user.name\n{name}\0" if name else "")


def test_install_a_tree_and_check(uv: Uv, in_tree: Path, tmp_path: Path) -> None:
    """An installed tree can be imported, and all its requirements are met."""
    environment = uv.fresh(tmp_path / "env")
    environment.install([str(in_tree)])
    environment.install([])
    environment.check()
    assert environment.run(["python", "-c", "import in_tree"], cwd=tmp_path).code == 0


def test_unmet_requirements_are_named(uv: Uv, tmp_path: Path) -> None:
    """An installed package whose requirement is missing is `CheckFailed`."""
    environment = uv.fresh(tmp_path / "env")
    info = environment.packages / "lonely-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lonely\nVersion: 1.0\nRequires-Dist: absent-one\n")
    (info / "RECORD").write_text("")
    with pytest.raises(CheckFailed, match="absent-one"):
        environment.check()


def test_a_failed_install_is_reported_without_logins(uv: Uv, tmp_path: Path) -> None:
    """The error has uv's own message, without a login in an address."""
    where = "http://someone:s3cret@127.0.0.1:9/simple"
    environment = replace(uv, dependencies=where, environ={**uv.environ, "UV_OFFLINE": "1"}).fresh(tmp_path / "env")
    with pytest.raises(CheckFailed, match="cannot install") as caught:
        environment.install([f"absent-one @ {where}/absent-1.tar.gz"])
    assert "s3cret" not in str(caught.value)


def test_no_interpreter(uv: Uv, tmp_path: Path) -> None:
    """A missing interpreter is an error of this machine."""
    with pytest.raises(ToolMissing, match="cannot create an environment"):
        replace(uv, python=str(tmp_path / "python3.99")).fresh(tmp_path / "env")
