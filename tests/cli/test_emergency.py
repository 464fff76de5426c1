"""The options of an emergency, who releases, and the check for other runs."""

from __future__ import annotations

import getpass
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import click
import pytest

from unmoor.cli import emergency
from unmoor.cli.emergency import read_options
from unmoor.cli.run_options import EmergencyOptions, RunOptions, TargetOptions
from unmoor.core.stage import Reach
from unmoor.core.waivers import ActorSource, Gate, GateVerdict
from unmoor.errors import Denied, Interrupted, Refused, Unknown
from unmoor.ports.forge import Forge, ForgeRun

RUN = ForgeRun(id=7, name="release", status="waiting", url="http://example.org/7")
OPTIONS = RunOptions(target=TargetOptions(folder=Path(), tag="v1.0"), ceiling=Reach.FINAL)


@dataclass
class FakeForge:
    """A forge that tells, or fails to tell, what is asked."""

    runs: tuple[ForgeRun, ...] = ()
    name: str = ""
    error: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def has_token(self) -> bool:
        """Whether there is a token."""
        return bool(self.name or self.error)

    def _told(self, what: str) -> None:
        self.asked.append(what)
        if self.error is not None:
            raise self.error

    def login(self) -> str:
        """Whose token it is."""
        self._told("login")
        return self.name

    def active_runs(self, tag: str) -> tuple[ForgeRun, ...]:
        """The active runs."""
        self._told(tag)
        return self.runs


def forge(**given: Any) -> Forge:
    """A fake as a forge."""
    return cast("Forge", FakeForge(**given))


@pytest.mark.parametrize(
    ("args", "environ", "expected"),
    [
        ((None, (), None), {}, None),
        ((None, (), None), {"UNMOOR_EMERGENCY": "", "UNMOOR_WAIVE": "", "UNMOOR_CONFIRM": ""}, None),
        (("it burns", (), None), {}, EmergencyOptions(reason="it burns")),
        (
            (None, (), None),
            {"UNMOOR_EMERGENCY": "it burns", "UNMOOR_WAIVE": "staging  tests\n", "UNMOOR_CONFIRM": "v1.0"},
            EmergencyOptions(reason="it burns", gates=(Gate.TESTS, Gate.STAGING), confirm="v1.0"),
        ),
        (
            ("mine", ("scans", "scans"), "1.0"),
            {"UNMOOR_EMERGENCY": "other", "UNMOOR_WAIVE": "tests", "UNMOOR_CONFIRM": "2.0"},
            EmergencyOptions(reason="mine", gates=(Gate.SCANS,), confirm="1.0"),
        ),
    ],
)
def test_options(args: Any, environ: dict[str, str], expected: EmergencyOptions | None) -> None:
    """An option wins over its variable, an empty variable is none, and gates come in their order, each once."""
    assert read_options(args[0], args[1], args[2], environ) == expected


@pytest.mark.parametrize(
    ("args", "environ", "message"),
    [
        ((None, ("tests",), None), {}, "--waive needs --emergency"),
        ((None, (), None), {"UNMOOR_WAIVE": "tests"}, "--waive needs --emergency"),
        ((None, (), "1.0"), {}, "--confirm needs --emergency"),
        (("", (), None), {}, "give a reason"),
        (("-", (), None), {}, "give a reason"),
        ((None, (), None), {"UNMOOR_EMERGENCY": "-"}, "give a reason"),
        ((None, (), None), {"UNMOOR_EMERGENCY": "  "}, "give a reason"),
        (("x" * 5000, (), None), {}, "5,000 characters"),
        (("it burns", ("tag",), None), {}, "can never be waived"),
        (("it burns", ("clean-ci",), None), {}, "no gate 'clean-ci'; the gates"),
    ],
)
def test_wrong_options(args: Any, environ: dict[str, str], message: str) -> None:
    """One clear message, and exit code 2."""
    with pytest.raises(click.UsageError, match=message):
        read_options(args[0], args[1], args[2], environ)


def test_the_command_is_repeated_whole() -> None:
    """The command to continue with waives the same, in a form that a shell reads back."""
    options = EmergencyOptions(reason="it's $(burning)", gates=(Gate.TESTS,), confirm="1.0")
    line = OPTIONS.__class__(target=OPTIONS.target, ceiling=Reach.FINAL, emergency=options).same_command("v1.0")
    assert line == """unmoor release --emergency 'it'"'"'s $(burning)' --waive tests --confirm 1.0 v1.0"""


@pytest.mark.parametrize("given", ["1.0", "v1.0", "1.00", "1.0.0"])
def test_the_version_or_the_tag_confirms(given: str) -> None:
    """Any spelling of the version, and the tag."""
    emergency._confirm("v1.0", "1.0", EmergencyOptions(reason="it burns", confirm=given), OPTIONS)


@pytest.mark.parametrize("given", ["1.1", "v1.1", "yes", "2", "1.0rc1", "main"])
def test_nothing_else_confirms(given: str) -> None:
    """Another version is a usage error."""
    with pytest.raises(click.UsageError, match=r"this is the release of 1\.0"):
        emergency._confirm("v1.0", "1.0", EmergencyOptions(reason="it burns", confirm=given), OPTIONS)


@pytest.mark.parametrize(("typed", "passes"), [("1.0", True), (" v1.0 ", True), ("yes", False), ("", False)])
def test_a_person_types_the_version(monkeypatch: pytest.MonkeyPatch, typed: str, passes: bool) -> None:  # noqa: FBT001
    """On a terminal the version is typed; anything else does nothing."""
    monkeypatch.setattr(emergency, "_is_terminal", lambda: True)
    monkeypatch.setattr(click, "prompt", lambda *_, **__: typed)
    wanted = EmergencyOptions(reason="it burns")
    if passes:
        emergency._confirm("v1.0", "1.0", wanted, OPTIONS)
        return
    with pytest.raises(Refused, match="nothing was done") as caught:
        emergency._confirm("v1.0", "1.0", wanted, OPTIONS)
    assert caught.value.next_step.ids == ("check-version",)


def test_elsewhere_the_command_line_confirms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal nobody is asked, and the advice is the whole command."""
    monkeypatch.setattr(emergency, "_is_terminal", lambda: False)
    wanted = EmergencyOptions(reason="it burns", gates=(Gate.SCANS,))
    options = RunOptions(target=OPTIONS.target, ceiling=Reach.REMOTE, emergency=wanted)
    with pytest.raises(Refused) as caught:
        emergency._confirm("v1.0", "1.0", wanted, options)
    command = "unmoor release --hold --emergency 'it burns' --waive scans --confirm 1.0 v1.0"
    assert caught.value.next_step.endswith(command)


@pytest.mark.parametrize(
    ("environ", "there", "expected"),
    [
        ({"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "octocat"}, forge(name="bot"), ("octocat", ActorSource.ACTIONS)),
        ({"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "dependabot[bot]"}, forge(), ("dependabot[bot]", "GitHub Actions")),
        ({"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "a\nb"}, forge(name="bot"), ("bot", ActorSource.FORGE)),
        ({"GITHUB_ACTOR": "octocat"}, forge(name="me"), ("me", ActorSource.FORGE)),
        ({}, forge(), ("laptop user", ActorSource.MACHINE)),
        ({}, forge(error=Denied("no user")), ("laptop user", ActorSource.MACHINE)),
        ({}, forge(error=Unknown("HTML")), ("laptop user", ActorSource.MACHINE)),
    ],
)
def test_who_releases(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], there: Forge, expected: tuple[str, str]
) -> None:
    """GitHub Actions says so, else the forge, else it is only the account here, marked as that."""
    monkeypatch.setattr(getpass, "getuser", lambda: "laptop\x1b[1m user")
    assert emergency._actor(there, environ) == expected


@pytest.mark.parametrize(
    ("runs", "environ", "refused"),
    [
        ((), {}, False),
        ((RUN,), {}, True),
        ((RUN,), {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "7"}, False),
        ((RUN,), {"GITHUB_RUN_ID": "7"}, True),
        ((RUN,), {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "8"}, True),
    ],
)
def test_other_runs(runs: tuple[ForgeRun, ...], environ: dict[str, str], refused: bool) -> None:  # noqa: FBT001
    """Another run of the tag stops this one; its own does not. Waived, it is a result."""
    there = forge(runs=runs)
    result = emergency._check_runs("v1.0", there, environ, waives=True)
    assert result is not None
    assert result.verdict is (GateVerdict.FAILED if refused else GateVerdict.PASSED)
    if refused:
        with pytest.raises(Refused, match="release \\(waiting\\)") as caught:
            emergency._check_runs("v1.0", there, environ, waives=False)
        assert caught.value.next_step.ids == ("end-other-runs",)
    else:
        assert emergency._check_runs("v1.0", there, environ, waives=False) is None


@pytest.mark.parametrize("error", [Denied("403"), Unknown("a time-out"), Refused("odd")], ids=str)
def test_a_forge_that_cannot_tell(error: Exception) -> None:
    """It is unknown, with the way out; waived, it is a gate that did not run. An interruption stays one."""
    with pytest.raises(Unknown) as caught:
        emergency._check_runs("v1.0", forge(error=error), {}, waives=False)
    assert caught.value.next_step.ids == ("waive-run-check",)
    result = emergency._check_runs("v1.0", forge(error=error), {}, waives=True)
    assert result is not None
    assert result.verdict is GateVerdict.NOT_RUN
    with pytest.raises(Interrupted):
        emergency._check_runs("v1.0", forge(error=Interrupted("stopped")), {}, waives=True)
