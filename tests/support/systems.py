"""Which tests are for which system. A test for another one is not collected, so it is not skipped either.

A test says it with a marker, `linux` or `posix`. A file that another system cannot even import says it after its
imports, in a line that mypy understands too: ``assert sys.platform != "win32"``. mypy then takes it for empty on that
system, so such a file is imported by no other. Inside a function, mypy understands ``if sys.platform != "win32":``.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterable
from pathlib import Path

import pytest

linux = pytest.mark.only_on("linux")
posix = pytest.mark.only_on("linux", "darwin")
IS_ROOT = sys.platform != "win32" and os.geteuid() == 0
NEED_LINUX = frozenset({"engine", "podman", "tiny_image", "runnable_image", "base_image"})
"""Fixtures of tests that need Linux: they run containers, and ``docker/engine.sh`` installs and starts their engine."""
_FILE = re.compile(r"^assert sys\.platform (==|!=|in|not in) (.*?)(?: +#|$)", re.MULTILINE)


def file_is_for(text: str, system: str) -> bool:
    """Whether a test file, by its text, can be imported on a system."""
    return all((operator in {"==", "in"}) == (f'"{system}"' in names) for operator, names in _FILE.findall(text))


def item_is_for(wanted: Iterable[Collection[str]], fixtures: Iterable[str], system: str) -> bool:
    """Whether a test is for a system, by the systems of each of its markers and the names of its fixtures."""
    return all(system in names for names in wanted) and (system == "linux" or NEED_LINUX.isdisjoint(fixtures))


def is_here(item: pytest.Item) -> bool:
    """Whether a test is for the system that it would run on."""
    wanted = [mark.args for mark in item.iter_markers("only_on")]
    return item_is_for(wanted, getattr(item, "fixturenames", ()), sys.platform)


def is_left_out(path: Path) -> bool:
    """Whether a path is a file with tests for other systems only."""
    return path.suffix == ".py" and path.is_file() and not file_is_for(path.read_text("utf-8"), sys.platform)
