"""How chaos begins and ends, without any server: the build that is stopped, and the time that is over at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.support.git_repos import Repo

from unmoor import advice
from unmoor.cli import rehearse_chaos
from unmoor.cli.chaos_options import ChaosOptions
from unmoor.cli.chaos_release import ChaosRelease
from unmoor.cli.rehearse_chaos import Chaos
from unmoor.cli.target_options import TargetOptions
from unmoor.errors import Unknown, Violated
from unmoor.rehearsal.chaos.addresses import Addresses
from unmoor.rehearsal.chaos.draw import Round
from unmoor.rehearsal.chaos.folders import WorldFolder
from unmoor.rehearsal.chaos.results import RoundResult
from unmoor.rehearsal.chaos.rounds import Player
from unmoor.rehearsal.invariants.evidence import Violation
from unmoor.util.values import replace


class Unbuilt:
    """A release whose build ends with an exit code."""

    def __init__(self, code: int) -> None:
        self.code = code

    def build(self, *, command: str, as_json: bool) -> int:
        """End as it was made to."""
        assert command.startswith("unmoor rehearse --directory ")
        assert "--chaos --seed 5 --rounds 20" in command
        assert not as_json
        return self.code


@pytest.mark.parametrize(("code", "blamed"), [(8, True), (130, False)], ids=["fails", "stopped"])
def test_a_build_that_is_stopped_is_not_the_projects_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, code: int, blamed: bool
) -> None:
    """Only a build that fails by itself is said to be one of the project."""

    @contextmanager
    def prepared(*_args: Any, **_options: Any) -> Iterator[Unbuilt]:
        yield Unbuilt(code)

    monkeypatch.setattr(rehearse_chaos, "prepared_release", prepared)
    repo = Repo.new(tmp_path / "small", {"pyproject.toml": "[project]\nname = 'small'\nversion = '1.0'\n"})
    target, options = TargetOptions(folder=repo.path), ChaosOptions(seed=5)
    assert rehearse_chaos.run(target, options, without_images=False, as_json=False) == code
    assert ("this was without any fault" in capsys.readouterr().err) is blamed


NOBODY = cast(Player, object())


class OneRound(Chaos):
    """Chaos whose rounds take no time and need nothing."""

    def _rounds(self, met: Addresses) -> Iterator[Round]:
        assert not met.counts
        yield from (Round(number=number, injections=()) for number in range(1, 4))

    def _begin(self, round_: Round) -> Any:
        return nullcontext(round_)

    def _folder_of(self, round_: Round) -> WorldFolder:
        return WorldFolder(self.folder / str(round_.number))

    def _play_one(self, player: Player, round_: Round, folder: WorldFolder, servers: Any) -> RoundResult:
        assert player is NOBODY
        assert servers is round_
        assert folder.path.name == str(round_.number)
        return RoundResult(number=round_.number, injections=(), met={}, from_nothing=False, runs=())


def test_a_time_that_is_over_at_once_has_one_round(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No round would show nothing, and would end as well as rounds in which all held. The seed is said before."""
    options = ChaosOptions(seed=5, rounds=0, minutes=1e-9)
    played = OneRound(release=cast(ChaosRelease, None), options=options, folder=tmp_path)
    played._play_all(NOBODY, Addresses(counts={}))
    assert [each.number for each in played.results] == [1]
    first, *_ = capsys.readouterr().err.splitlines()
    assert first.startswith("playing rounds of the seed 5@")


class Stopped(OneRound):
    """Chaos whose second round does not come to its end, or finds something on a full disk."""

    fails_at: int = 2
    fails_with: BaseException | None = None

    def _release_plainly(self) -> tuple[Player, Addresses]:
        return NOBODY, Addresses(counts={})

    def _play_one(self, player: Player, round_: Round, folder: WorldFolder, servers: Any) -> RoundResult:
        played = super()._play_one(player, round_, folder, servers)
        if round_.number < self.fails_at:
            return played
        if self.fails_with is not None:
            raise self.fails_with
        return replace(played, violations=(Violation(invariant="I5", what="it says nothing", where="run 1"),))


def stopped(tmp_path: Path, *, at: int, error: BaseException | None) -> Stopped:
    """Chaos of three rounds that is stopped at one of them."""
    base = WorldFolder(tmp_path / "base", "v1.0")
    release = cast(ChaosRelease, SimpleNamespace(base=base, replay=lambda *_texts, **_options: "unmoor"))
    chaos = Stopped(release=release, options=ChaosOptions(seed=5), folder=tmp_path)
    chaos.fails_at, chaos.fails_with = at, error
    return chaos


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize(
    "error",
    [Unknown("the servers exited", where="the local world", next_step=advice.LIST_FAULTS()), OSError(28, "full")],
)
def test_rounds_before_an_error_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, at: int, error: Exception
) -> None:
    """What stops chaos is raised after the table of the rounds that had ended; before the first there is none."""
    with pytest.raises(type(error)) as raised:
        stopped(tmp_path, at=at, error=error).play(as_json=False)
    assert raised.value is error
    said = capsys.readouterr()
    assert ("chaos" in said.out) is (at > 1)
    assert (f"chaos was stopped after {at - 1} round" in said.err) is (at > 1)
    if at > 1:
        assert re.search(rf"^rounds +{at - 1}$", said.out, re.MULTILINE)


def test_a_full_disk_is_no_violation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever a round finds on a full disk says nothing about the release. With room it does."""
    for number in (1, 2, 3):
        (tmp_path / str(number)).mkdir()
    with pytest.raises(Violated):
        stopped(tmp_path, at=2, error=None).play(as_json=False)
    assert "I5: it says nothing" in capsys.readouterr().err

    def full(*_args: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rehearse_chaos, "write_atomic", full)
    with pytest.raises(OSError, match="No space left") as raised:
        stopped(tmp_path, at=2, error=None).play(as_json=False)
    assert raised.value.filename == str(tmp_path / "2")
    said = capsys.readouterr()
    assert re.search(r"^ *violated +0$", said.out, re.MULTILINE)
    assert "I5: it says nothing" not in said.err
