"""What holds for every test: a clean environment, no skip in CI, nothing left running."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import sys
import time
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path

import platformdirs
import psutil
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from tests.support import forked, shells, systems

IN_CI = os.environ.get("CI", "") == "true"
"""Read once at import, since the tests themselves do not see it."""

# A property also holds on a slow machine, so no example is timed; CI tries the same examples every time.
settings.register_profile("unmoor", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=IN_CI)
settings.load_profile("unmoor")
# Hypothesis would read every module that is imported for values to try. That takes each worker as long as a tenth of
# the collection, many times that without a cache, and which examples CI tries would depend on what a worker imports.
if hasattr(providers, "_get_local_constants"):  # not in every version
    providers._get_local_constants = lambda: providers._local_constants

_REMOVED = ("ACTIONS_", "GH_", "GITHUB_", "GIT_", "PYTEST_ADDOPTS", "RUNNER_", "SETUPTOOLS_SCM_", "TWINE_", "UNMOOR_")
_REMOVED_NAMES = {"CI", "COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR", "PYTHONPATH", "SOURCE_DATE_EPOCH", "TERM"}
_KEPT = {"GIT_SSL_CAINFO", "GIT_SSL_CAPATH"}
_MARK = "LC_UNMOOR_TESTS"  # every program gets LC_ variables
_GRACE = 10.0
"""Seconds that processes of a session have to end after its last test."""


def _caches(home: Path) -> dict[str, str]:
    """Keep tools fast under another home: the caches and settings of uv and pip, and where pyenv lives."""
    # uv has Linux's place on macOS too; pip has that of each system.
    uv = Path(os.environ.get("XDG_CACHE_HOME", home / ".cache"), "uv")
    pip = platformdirs.PlatformDirs("pip", appauthor=False, roaming=True)
    found = {
        "UV_CACHE_DIR": platformdirs.user_cache_dir("uv", appauthor=False) if sys.platform == "win32" else str(uv),
        "PIP_CACHE_DIR": pip.user_cache_dir,
        "PIP_CONFIG_FILE": str(Path(pip.user_config_dir, "pip.ini" if sys.platform == "win32" else "pip.conf")),
        "PYENV_ROOT": str(home / ".pyenv"),
    }
    made_when_needed = {"UV_CACHE_DIR", "PIP_CACHE_DIR"}
    return {
        name: os.environ.get(name, path)
        for name, path in found.items()
        if name in os.environ or name in made_when_needed or Path(path).exists()
    }


def _settings(home: Path) -> dict[str, str]:
    """What every test finds in its environment instead of the developer's own."""
    return {
        "HOME": str(home),
        "USERPROFILE": str(home),
        "APPDATA": str(home / "AppData" / "Roaming"),
        "LOCALAPPDATA": str(home / "AppData" / "Local"),
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
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(_MARK) == mark:
                found.append(f"{process.pid}: {' '.join(process.cmdline())[:200]}")
        except psutil.Error:
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
        shells.end_idle()
        forked.stop()
        deadline = time.monotonic() + _GRACE
        while (left := _marked(mark)) and time.monotonic() < deadline:
            time.sleep(0.05)
    if left:
        pytest.fail("processes outlived the tests that started them:\n" + "\n".join(left), pytrace=False)


@pytest.fixture(scope="module", autouse=True)
def _forked_worlds(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fork the servers of local worlds, which starts them sooner. The tests of the servers themselves start them."""
    with contextlib.nullcontext() if "rehearsal" in request.path.parts else forked.forked_worlds():
        yield


def pytest_collectstart() -> None:
    """Look for no garbage: while tests are collected there is almost none, and looking takes half of the time."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage again. What was collected is not frozen: hypothesis asks who refers to it."""
    gc.enable()


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out files of tests for another system."""
    return True if systems.is_left_out(collection_path) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse a test whose name changes from run to run: it cannot be asked for, nor shared out to workers.

    Leave out tests for another system.
    """
    if others := [item for item in items if not systems.is_here(item)]:
        items[:] = [item for item in items if systems.is_here(item)]
        config.hook.pytest_deselected(items=others)
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
