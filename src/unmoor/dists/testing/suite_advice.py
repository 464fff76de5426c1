"""What to do about a suite that failed: the settings that may be missing, spelled out."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from unmoor import advice
from unmoor.advice import NextStep
from unmoor.dists.testing.pytest_record import SuiteRecord
from unmoor.dists.testing.suites import Suite
from unmoor.project.test_needs.imports import likely_package
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


def advise(suite: Suite, record: SuiteRecord | None, own: Collection[str], *, code: int) -> NextStep:
    """Return the next step for a suite that failed with an exit code. ``own`` are the project's top-level modules.

    Its last lines are the setting that installs more for the tests, ready to paste, if that may be missing.
    """
    record = record or SuiteRecord()
    step, more = _other_failures(suite, record, code) if record.failures else _no_test_failed(suite, record, own, code)
    off = advice.TURN_TESTS_OFF() if suite.why else advice.NOTHING
    paste = (
        advice.NOTHING
        if more is None
        else advice.INSTALL_MORE_FOR_TESTS(setting=f"\n[tool.unmoor]\n{suite.as_setting(*(more or ['NAME']))}")
    )
    return step.then(off, paste)


def _no_test_failed(
    suite: Suite, record: SuiteRecord, own: Collection[str], code: int
) -> tuple[NextStep, Sequence[str] | None]:
    """The step, and the packages that may be missing, ``None`` if none are."""
    missing = [each for each in (record.unstarted, *record.collection) if each is not None and each.missing]
    foreign = sorted({clean(each.missing).partition(".")[0] for each in missing} - set(own))
    if foreign:
        return advice.INSTALL_FOR_TESTS(modules=list_some(foreign)), sorted(set(map(likely_package, foreign)))
    if missing:
        return advice.INCLUDE_MODULES(modules=list_some(sorted({clean(each.missing) for each in missing}))), None
    if record.unknown_options and record.unstarted is None and not record.begun:
        return advice.INSTALL_PYTEST_PLUGINS(), sorted({_plugin_of(each) for each in record.unknown_options} - {""})
    return _other_failures(suite, record, code)


def _other_failures(suite: Suite, record: SuiteRecord, code: int) -> tuple[NextStep, Sequence[str] | None]:
    if record.unstarted is not None:
        return (advice.CORRECT_WARNING() if record.unstarted.warning else advice.CORRECT_PYTEST_START()), None
    if code == 4 and not record.begun:  # noqa: PLR2004 - pytest.ExitCode.USAGE_ERROR
        return advice.CORRECT_PYTEST_OPTIONS(), None
    return advice.SEE_FAILED_TESTS(), suite.missing


def _plugin_of(option: str) -> str:
    """The plugin that has an option; empty if it is not a usual one."""
    name = option.partition("=")[0]
    if name in _PLUGINS:
        return _PLUGINS[name]
    return next((plugin for known, plugin in _PLUGINS.items() if known != "-n" and name.startswith(f"{known}-")), "")


def advise_untested(suite: Suite, record: SuiteRecord | None, own: Collection[str]) -> NextStep:
    """Return the next step for a suite of which no test ran, on one line, since it is a warning."""
    missing = [each.missing for each in (record.collection if record is not None else ()) if each.missing]
    foreign = {clean(each).partition(".")[0] for each in missing} - set(own)
    named = sorted(set(map(likely_package, foreign)))
    step = advice.SET_TEST_REQUIRES(setting=suite.as_setting(*named)) if named else advice.NOTHING
    return step.then(advice.TURN_TESTS_OFF())
