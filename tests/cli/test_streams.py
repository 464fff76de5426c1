"""Every text can be printed, whatever the locale and the code page say."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support.git_repos import Repo
from tests.support.systems import posix

from unmoor.cli.streams import prepare, prepare_streams

TEXT = "Prüft ✓ Größen\n"


class Terminal(io.BytesIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.mark.parametrize(
    ("raw", "encoding", "variables", "written"),
    [
        (io.BytesIO, "cp1252", {}, TEXT.encode()),
        (io.BytesIO, "ascii", {}, TEXT.encode()),
        (io.BytesIO, "utf-8", {}, TEXT.encode()),
        (io.BytesIO, "cp1252", {"PYTHONIOENCODING": "cp1252"}, "Prüft \\u2713 Größen\r\n".encode("cp1252")),
        (Terminal, "cp1252", {}, "Prüft \\u2713 Größen\r\n".encode("cp1252")),
        (Terminal, "cp437", {}, "Prüft √ Größen\r\n".replace("√", "\\u2713").encode("cp437")),
        (Terminal, "ascii", {}, b"Pr\\xfcft \\u2713 Gr\\xf6\\xdfen\r\n"),
        (Terminal, "utf-8", {}, TEXT.replace("\n", "\r\n").encode()),
    ],
)
def test_any_text_is_written(
    monkeypatch: pytest.MonkeyPatch, raw: type[io.BytesIO], encoding: str, variables: Mapping[str, str], written: bytes
) -> None:
    """Files and pipes get UTF-8 and line feeds; a terminal what its encoding has, with escapes for the rest."""
    below = raw()
    stream = io.TextIOWrapper(below, encoding=encoding, newline="\r\n")
    monkeypatch.setattr(sys, "stdout", stream)
    prepare_streams(variables)
    stream.write(TEXT)
    stream.flush()
    assert below.getvalue() == written


def test_another_stream_stays_as_it_is() -> None:
    """A program without a console has none, and one that captures output decides itself."""
    prepare(None)
    captured = io.StringIO()
    prepare(captured)
    captured.write(TEXT)
    assert captured.getvalue() == TEXT


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose folder, files and notes have letters that are not ASCII."""
    folder = tmp_path_factory.mktemp("mein Prüfling") / "größe ✓"
    repo = Repo.new(
        folder,
        {
            "pyproject.toml": '[project]\nname = "pruefling"\nversion = "1.0.0"\n',
            "CHANGELOG.md": f"# Changes\n\n## 1.0.0\n\n- {TEXT}",
            "größe.txt": "ü",
        },
    )
    repo.git("tag", "-a", "-m", "x", "v1.0.0")
    return folder


@posix
@pytest.mark.parametrize(
    ("variables", "encoding"),
    [
        ({"LC_ALL": "C", "PYTHONUTF8": "0"}, "utf-8"),
        ({"LC_ALL": "C"}, "utf-8"),
        ({"LC_ALL": "C.UTF-8", "PYTHONUTF8": "0"}, "utf-8"),
        ({"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "cp1252"}, "cp1252"),
    ],
)
def test_a_project_in_any_locale(project: Path, variables: Mapping[str, str], encoding: str) -> None:
    """Names are read and written as git has them, even if Python would limit them to ASCII."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHONUTF8"))}
    ran = subprocess.run(
        [sys.executable, "-m", "unmoor", "notes", "v1.0.0"],
        cwd=project,
        env={**kept, **variables},
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == f"- {TEXT}".encode(encoding, "backslashreplace")
