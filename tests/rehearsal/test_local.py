"""The parent's side of a local world waits for its servers, and not for ever."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from unmoor.adapters.process.servers import Server
from unmoor.errors import Refused, TimedOut, Unknown, UnmoorError
from unmoor.rehearsal import local

REFUSED = '{"kind": "refused", "error": {"what": "in use", "where": "here"}}'


@contextmanager
def run(folder: Path, code: str) -> Iterator[Server]:
    """Run some code as the servers."""
    with (folder / "serve.log").open("ab") as log:
        process = Server([sys.executable, "-c", code], cwd=folder, env=os.environ, log=log)
    try:
        yield process
    finally:
        process.kill()
        process.stop(5.0)


@pytest.mark.parametrize(
    ("program", "error", "message"),
    [
        ("print('{', end='', flush=True); time.sleep(60)", TimedOut, "not ready after 0 s"),
        ("sys.exit(3)", Unknown, "exited before they were ready: why"),
        ("print('{', end='')", Unknown, "exited before they were ready: why"),
        (f"print({REFUSED!r})", Refused, "in use"),
    ],
)
def test_servers_that_are_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, error: type[UnmoorError], message: str
) -> None:
    """Half a line, an end without one, and an error that they report are three different errors."""
    (tmp_path / "serve.log").write_text("why", encoding="utf-8")
    monkeypatch.setattr(local, "READY", 0.2 if error is TimedOut else 20.0)
    code = f"import sys, time; {program}"
    with run(tmp_path, code) as process, pytest.raises(error, match=message):
        local._read_ready_line(process, tmp_path)


@pytest.mark.parametrize("line", ['{"pid": 7}\n', '{"pid": 7}\r\n', '{"pid": 7, "x": "' + "x" * 20_000 + '"}\n'])
def test_servers_that_are_ready(tmp_path: Path, line: str) -> None:
    """Their line may be long, and may end as Windows ends lines."""
    code = f"import sys; sys.stdout.buffer.write({line!r}.encode())"
    with run(tmp_path, code) as process:
        assert local._read_ready_line(process, tmp_path)["pid"] == 7
