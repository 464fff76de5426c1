"""How chaos begins and ends, without any server: the build that is stopped, and the time that is over at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.git_repos import Repo

from unmoor.cli import rehearse_chaos
from unmoor.cli.chaos_options import ChaosOptions
from unmoor.cli.chaos_release import ChaosRelease
from unmoor.cli.rehearse_chaos import Chaos
from unmoor.cli.target_options import TargetOptions
from unmoor.rehearsal.chaos.addresses import Addresses
from unmoor.rehearsal.chaos.draw import Round
from unmoor.rehearsal.chaos.folders import WorldFolder
from unmoor.rehearsal.chaos.results import RoundResult
from unmoor.rehearsal.chaos.rounds import Player


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
