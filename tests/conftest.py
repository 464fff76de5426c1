"""What holds for every test: a clean environment, no skip in CI, nothing left running."""

from __future__ import annotations

import gc
import os
import re
import time
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

IN_CI = os.environ.get("CI", "") == "true"
"""Read once at import, since the tests themselves do not see it."""

# A property also holds on a slow machine, so no example is timed; CI tries the same examples every time.
settings.register_profile("unmoor", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=IN_CI)
settings.load_profile("unmoor")

_REMOVED = ("ACTIONS_", "GH_", "GITHUB_", "GIT_", "PYTEST_ADDOPTS", "RUNNER_", "SETUPTOOLS_SCM_", "TWINE_", "UNMOOR_")
_REMOVED_NAMES = {"CI", "COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR", "PYTHONPATH", "SOURCE_DATE_EPOCH", "TERM"}
_KEPT = {"GIT_SSL_CAINFO", "GIT_SSL_CAPATH"}
_MARK = "LC_UNMOOR_TESTS"  # every program gets LC_ variables
_GRACE = 10.0
"""Seconds that processes of a session have to end after its last test."""


def _caches(home: Path) -> dict[str, str]:
    """Keep tools fast under another home: the caches, and where pyenv lives."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", home / ".cache"))
    config = Path(os.environ.get("XDG_CONFIG_HOME", home / ".config"))
    found = {
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(cache / "uv")),
        "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(cache / "pip")),
    }
    pip = config / "pip" / "pip.conf"
    if "PIP_CONFIG_FILE" not in os.environ and pip.is_file():
        found["PIP_CONFIG_FILE"] = str(pip)
    pyenv = home / ".pyenv"
    if "PYENV_ROOT" not in os.environ and pyenv.is_dir():
        found["PYENV_ROOT"] = str(pyenv)
    return found


def _settings(home: Path) -> dict[str, str]:
    """What every test finds in its environment instead of the developer's own."""
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "init.defaultBranch",
        "GIT_CONFIG_VALUE_0": "main",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "Test Author",
        "GIT_AUTHOR_EMAIL": "author@example.org",
        "GIT_COMMITTER_NAME": "Test Committer",
        "GIT_COMMITTER_EMAIL": "committer@example.org",
    }


def _marked(mark: str) -> list[str]:
    """Name the processes that carry the session's mark in their environment, ourselves and zombies left out."""
    wanted = f"{_MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append(f"{entry.name}: {command.strip()[:200]}")
        except OSError:
            continue
    return found


@pytest.fixture(scope="session", autouse=True)
def _clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide the developer's own settings and credentials from the tests, and see that nothing outlives them."""
    mark = uuid.uuid4().hex
    with pytest.MonkeyPatch.context() as patch:
        caches = _caches(Path.home())
        for name in list(os.environ):
            if name not in _KEPT and (name.startswith(_REMOVED) or name in _REMOVED_NAMES):
                patch.delenv(name)
        home = tmp_path_factory.mktemp("home")
        for name, value in {**caches, **_settings(home), _MARK: mark}.items():
            patch.setenv(name, value)
        yield
        deadline = time.monotonic() + _GRACE
        while (left := _marked(mark)) and time.monotonic() < deadline:
            time.sleep(0.05)
    if left:
        pytest.fail("processes outlived the tests that started them:\n" + "\n".join(left), pytrace=False)


def pytest_collectstart() -> None:
    """Look for no garbage: while tests are collected there is almost none, and looking takes half of the time."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage again. What was collected is not frozen: hypothesis asks who refers to it."""
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a test whose name changes from run to run: it cannot be asked for, nor shared out to workers."""
    if odd := [item.nodeid for item in items if re.search(r" at 0x[0-9a-f]+", item.nodeid)]:
        raise pytest.UsageError(f"give these cases ids that stay the same: {', '.join(odd)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a test that skips is a test that failed: nothing there may be missing."""
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} skipped, and nothing may be missing in CI: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Likewise for a whole file that skips while it is read."""
    report = yield
    if IN_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} skipped, and nothing may be missing in CI: {report.longrepr}"
    return report
