"""What to do about a suite that failed: the settings that may be missing, spelled out."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from unmoor import advice
from unmoor.advice import NextStep
from unmoor.dists.testing.pytest_record import SuiteRecord
from unmoor.dists.testing.suites import Suite
from unmoor.util.text import clean, list_some

# Options that projects often give to pytest, and the plugin that has them.
_PLUGINS = {
    "--cov": "pytest-cov",
    "--no-cov": "pytest-cov",
    "-n": "pytest-xdist",
    "--numprocesses": "pytest-xdist",
    "--dist": "pytest-xdist",
    "--timeout": "pytest-timeout",
    "--asyncio-mode": "pytest-asyncio",
    "--benchmark": "pytest-benchmark",
    "--reruns": "pytest-rerunfailures",
    "--randomly": "pytest-randomly",
    "--mypy": "pytest-mypy",
    "--doctest-plus": "pytest-doctestplus",
    "--html": "pytest-html",
    "--mpl": "pytest-mpl",
    "--disable-socket": "pytest-socket",
    "--hypothesis": "hypothesis",
    "--force-flaky": "flaky",
    "--no-flaky-report": "flaky",
    "--no-success-flaky-report": "flaky",
}
_MOST = 8


def advise(suite: Suite, record: SuiteRecord | None, own: Collection[str], *, code: int) -> NextStep:
    """Return the next step for a suite that failed with an exit code. ``own`` are the project's top-level modules."""
    record = record or SuiteRecord()
    step = _other_failures(record, code=code) if record.failures else _no_test_failed(suite, record, own, code=code)
    return step.then(advice.TURN_TESTS_OFF()) if suite.why else step


def _no_test_failed(suite: Suite, record: SuiteRecord, own: Collection[str], *, code: int) -> NextStep:
    missing = [each for each in (record.unstarted, *record.collection) if each is not None and each.missing]
    foreign = sorted({clean(each.missing).partition(".")[0] for each in missing} - set(own))
    if foreign:
        return advice.INSTALL_FOR_TESTS(modules=list_some(foreign), setting=_setting(suite, []))
    if missing:
        return advice.INCLUDE_MODULES(modules=list_some(sorted({clean(each.missing) for each in missing})))
    if record.unknown_options and record.unstarted is None and not record.begun:
        plugins = sorted({_plugin_of(each) for each in record.unknown_options} - {""})
        return advice.INSTALL_PYTEST_PLUGINS(setting=_setting(suite, plugins))
    return _other_failures(record, code=code)


def _other_failures(record: SuiteRecord, *, code: int) -> NextStep:
    if record.unstarted is not None:
        return advice.CORRECT_WARNING() if record.unstarted.warning else advice.CORRECT_PYTEST_START()
    if code == 4 and not record.begun:  # noqa: PLR2004 - pytest.ExitCode.USAGE_ERROR
        return advice.CORRECT_PYTEST_OPTIONS()
    return advice.SEE_FAILED_TESTS()


def _plugin_of(option: str) -> str:
    """The plugin that has an option; empty if it is not a usual one."""
    name = option.partition("=")[0]
    if name in _PLUGINS:
        return _PLUGINS[name]
    return next((plugin for known, plugin in _PLUGINS.items() if known != "-n" and name.startswith(f"{known}-")), "")


def _setting(suite: Suite, more: Sequence[str]) -> str:
    """The settings that install what the suite has now and more, as they stand under ``[tool.unmoor]``."""
    now = list(suite.requires)
    listed = json.dumps([*now, *(more or ["NAME"])], ensure_ascii=False)
    if len(now) > _MOST:
        listed = f"[…, {json.dumps(list(more or ['NAME']))[1:-1]}], with what they have now"
    extras = f"test-extras = {json.dumps(list(suite.extras))} and " if suite.extras else ""
    return f"{extras}test-requires = {listed} under [tool.unmoor]"
