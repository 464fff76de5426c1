"""Install what a test suite needs, together with the file under test."""

from __future__ import annotations

from collections.abc import Callable

from unmoor import advice
from unmoor.dists.testing.suites import Suite
from unmoor.errors import CheckFailed
from unmoor.ports.environments import Environment


def install_needs(
    environment: Environment,
    suite: Suite,
    *,
    file: Callable[[tuple[str, ...]], str],
    say: Callable[[str], None],
) -> None:
    """Install the requirements of a suite beside the file, and the file again last: nothing may replace it.

    ``file`` returns the file as a requirement with extras. Everything is resolved together with it; if that is not
    possible, apart from it: a version that nothing on the index allows yet, such as the next major one, is no reason
    not to test it. Raises `CheckFailed` with the setting that says what the tests need, ready to paste.
    """
    if suite.requires or suite.extras:
        try:
            environment.install([*suite.requires, file(suite.extras)])
        except CheckFailed as together:
            try:
                environment.install([*suite.requires, *([file(suite.extras)] if suite.extras else ())])
            except CheckFailed:
                raise _uninstallable(together, suite) from together
            say("the requirements of the tests were resolved apart from the project: they do not fit its version")
    environment.install([file(())], dependencies=False)


def _uninstallable(error: CheckFailed, suite: Suite) -> CheckFailed:
    if not suite.why:
        return error
    return CheckFailed(
        f"{suite.why}; {error.what}",
        next_step=advice.NAME_TEST_NEEDS(setting=f"\n[tool.unmoor]\n{suite.as_setting()}"),
    )
