"""A built wheel is installed with pip too, which refuses what uv takes."""

from __future__ import annotations

from pathlib import Path

import pip
import pytest
from tests.dists.checks.packing import Wheel

from unmoor.adapters.uv import Uv, UvEnvironment
from unmoor.errors import CheckFailed


@pytest.fixture
def environment(uv: Uv, tmp_path: Path) -> UvEnvironment:
    """An environment, alone in its folder."""
    (tmp_path / "environments").mkdir()
    return uv.fresh(tmp_path / "environments" / "env")


def write(folder: Path, wheel: Wheel) -> Path:
    """Write a wheel to a folder."""
    name, data = wheel.file()
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("wheel", "words"),
    [
        (Wheel(name="a", record=lambda rows: f"\n{rows}"), "IndexError"),
        (Wheel(name="a", info={"entry_points.txt": b"[console_scripts]\na = b\n"}), "callable suffix is required"),
        (Wheel(name="a", info={"entry_points.txt": b"[console_scripts]\n.. = b:c\n"}), "outside the scripts directory"),
        (Wheel(name="a", info={"entry_points.txt": b"[gui_scripts]\n. = b:c\n"}), "outside the scripts directory"),
        (Wheel(name="a", info={"entry_points.txt": b"[x]\na = b\n  c\n"}), "TypeError"),
        (Wheel(name="a", files={"a-1.0.data/unknown/x": b""}), "Unknown scheme key"),
        (Wheel(name="a", files={"a-1.0.data/x": b""}), "should be named like"),
        (Wheel(name="a", files={"b": b"", "b/c": b""}), "Error"),
    ],
    ids=["blank row", "no callable", "two dots", "one dot", "continued line", "unknown data", "no kind", "file"],
)
def test_what_pip_refuses(environment: UvEnvironment, tmp_path: Path, wheel: Wheel, words: str) -> None:
    """A wheel that pip cannot install is refused with pip's message, and nothing of it is left."""
    with pytest.raises(CheckFailed, match=words) as caught:
        environment.install_with_pip(write(tmp_path, wheel), "a")
    assert caught.value.what.startswith("pip cannot install a-1.0-py3-none-any.whl, although uv can:")
    assert [each.name for each in environment.folder.parent.iterdir() if each.name.endswith("-pip")] == []


def test_what_pip_installs(environment: UvEnvironment, tmp_path: Path) -> None:
    """A wheel that pip installs passes. It is not installed into the environment, and the folder is deleted."""
    points = b"[console_scripts]\nlight = lighthouse_module:main\n"
    files = {"a-1.0.data/scripts/run": b"#!python\n", "a-1.0.data/data/etc/a.conf": b""}
    wheel = write(tmp_path, Wheel(name="a", info={"entry_points.txt": points}, files=files))
    assert environment.install_with_pip(wheel, "a") == ""
    assert list(environment.packages.glob("a-*")) == []
    assert not environment.folder.with_name("env-pip").exists()


def test_a_pip_that_is_not_as_expected(
    environment: UvEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If pip lacks the function or cannot be imported, the wheel is not called wrong: the reason is returned."""
    wheel = write(tmp_path, Wheel(name="a", record=lambda rows: f"\n{rows}"))
    monkeypatch.setattr(pip, "__file__", str(tmp_path / "site" / "pip" / "__init__.py"))
    assert "No module named 'pip'" in environment.install_with_pip(wheel, "a")
    module = tmp_path / "site" / "pip" / "_internal" / "operations" / "install" / "wheel.py"
    module.parent.mkdir(parents=True)
    module.write_text("def install_wheel(path): pass\n")
    scheme = tmp_path / "site" / "pip" / "_internal" / "models" / "scheme.py"
    scheme.parent.mkdir()
    scheme.write_text("class Scheme:\n    def __init__(self, **how): pass\n")
    assert "TypeError" in environment.install_with_pip(wheel, "a")
