"""Environments are fresh and get no secrets, and errors say why an install failed."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.uv import Uv
from unmoor.errors import CheckFailed, ToolMissing
from unmoor.ports.environments import Environments


def test_fresh_environment_runs_its_own_python(uv: Uv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program finds the environment's interpreter first, and gets no other variables of this process."""
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
    assert "PYTHONPATH" not in names


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


@pytest.mark.parametrize(
    ("dependencies", "given", "expected"),
    [
        ("", {"PIP_INDEX_URL": "https://a.example.org"}, {"UV_DEFAULT_INDEX": "https://a.example.org"}),
        (
            "",
            {"PIP_INDEX_URL": "https://a.example.org", "UV_INDEX_URL": "https://b.example.org"},
            {"UV_INDEX_URL": "https://b.example.org"},
        ),
        ("", {"PIP_EXTRA_INDEX_URL": "https://a.example.org"}, {"UV_INDEX": "https://a.example.org"}),
        ("", {"PIP_FIND_LINKS": "/nowhere / https://a.example.org"}, {"UV_FIND_LINKS": "/,https://a.example.org"}),
        ("", {"PIP_FIND_LINKS": "/nowhere"}, {}),
        (
            "https://only.example.org",
            {"PIP_INDEX_URL": "https://a.example.org", "UV_INDEX": "https://b.example.org", "UV_FIND_LINKS": "/"},
            {"UV_DEFAULT_INDEX": "https://only.example.org", "UV_NO_CONFIG": "1"},
        ),
    ],
)
def test_where_dependencies_come_from(
    shell: LocalShell, dependencies: str, given: dict[str, str], expected: dict[str, str]
) -> None:
    """Uses the user's own settings, including pip's; or only the index of the world."""
    seen = Uv(shell=shell, dependencies=dependencies, environ={"PATH": os.defpath, **given})._environment()
    fixed = {"UV_PYTHON_DOWNLOADS", "UV_NO_PROGRESS"}
    assert {k: v for k, v in seen.items() if k.startswith("UV_") and k not in fixed} == expected
