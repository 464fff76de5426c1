"""Run ``unmoor rehearse --chaos``: build once, release once without faults, then round after round with some."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import click

from unmoor import advice
from unmoor._version import version
from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.run_dir import RunFolder
from unmoor.cli import chaos_report, session
from unmoor.cli.chaos_options import ChaosOptions, same_command
from unmoor.cli.chaos_release import ChaosRelease, prepared_release
from unmoor.cli.output import err
from unmoor.cli.resolve_project import read_sources, resolve_checkout
from unmoor.cli.target_options import TargetOptions
from unmoor.errors import Interrupted, Unknown, UnmoorError, Violated
from unmoor.filesystem.files import write_atomic
from unmoor.filesystem.locks import exclusive_lock
from unmoor.filesystem.safe_folder import OWN, make_private, names_in, remove
from unmoor.rehearsal import local
from unmoor.rehearsal.chaos.addresses import Addresses, addresses_of
from unmoor.rehearsal.chaos.draw import Card, Round, cards, draw
from unmoor.rehearsal.chaos.expectations import with_surfaces
from unmoor.rehearsal.chaos.folders import WorldFolder, copy_base, read_from, size_of
from unmoor.rehearsal.chaos.results import ChaosResult, RoundResult, Skipped, count_faults, count_kills
from unmoor.rehearsal.chaos.rounds import Player
from unmoor.rehearsal.faults.catalogue import FAULTS, Need
from unmoor.rehearsal.invariants.final_state import FinalState
from unmoor.rehearsal.invariants.verdict import INVARIANTS
from unmoor.util.text import clean, count_of, list_some
from unmoor.util.values import replace

FOLDER = "chaos"
"""The folder of chaos in ``.unmoor``."""
_LEAST, _SLOWER = 90.0, 15.0
"""A run may take so many seconds, and so many times as long as one without faults from nothing."""
_LIMIT = 50_000_000
_ROOM = 1 << 20
"""Bytes without which a disk counts as full."""


def run(target: TargetOptions, options: ChaosOptions, *, without_images: bool, as_json: bool) -> int:
    """Play rounds, and return the exit code: 19 if something is violated. The advice is that for a rehearsal."""
    try:
        return _run(target, options, without_images=without_images, as_json=as_json)
    except UnmoorError as error:
        rehearsed = error.in_rehearsal()
        if rehearsed is error:
            raise
        raise rehearsed from error


def _run(target: TargetOptions, options: ChaosOptions, *, without_images: bool, as_json: bool) -> int:
    with Processes() as processes, processes.guarded():
        sources = read_sources(target.config)
        here = resolve_checkout(target, sources, processes, tag=target.tag)
        folder = here.folder / OWN / FOLDER
        make_private(folder)
        RunFolder(folder).open()
        with exclusive_lock(folder):
            for name in names_in(folder):
                if name != "run.lock":
                    remove(folder / name)
            with prepared_release(here, target, sources, processes, folder, without_images=without_images) as release:
                code = release.build(
                    command=same_command(target, options, without_images=without_images), as_json=as_json
                )
                if code == Interrupted.exit_code:
                    return code
                if code:
                    err("")
                    err("this was without any fault: the project does not release by itself, so chaos did not begin")
                    return code
                return Chaos(release=release, options=options, folder=folder).play(as_json=as_json)


@dataclass
class Chaos:
    """The rounds of one release. ``folder`` is where their folders are."""

    release: ChaosRelease
    options: ChaosOptions
    folder: Path
    results: list[RoundResult] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    plain: float = 0.0
    stopped: bool = False

    def play(self, *, as_json: bool) -> int:
        """Play the rounds, print what they found, and return the exit code. Raises `Violated`, and what stops them."""
        failed: UnmoorError | OSError | None = None
        try:
            player, met = self._release_plainly()
            self._play_all(player, met)
        except Interrupted:
            self.stopped = True
        except (UnmoorError, OSError) as error:
            if not self.results:
                raise
            failed, self.stopped = error, True  # the rounds before it count
        result = self._added_up()
        if as_json:
            session.echo_json(result)
        else:
            for line in chaos_report.tables(result):
                click.echo(line)
        self._warn(result)
        if failed is not None:
            why = f": {clean(str(failed), limit=300)}" if result.violated else ""
            err(f"chaos was stopped after {count_of(len(result.rounds), 'round')}{why}")
        if failed is not None and not result.violated:
            raise failed
        if result.violated:
            first = result.violated[0]
            raise Violated(
                f"{len(result.violated)} of {len(result.rounds)} rounds violate what must hold of every release",
                where=first.folder,
                next_step=advice.REPLAY_ROUND(command=first.replay),
            )
        if self.stopped:
            raise Interrupted("chaos was stopped")
        of_seed = "" if self.options.injections else f" of the seed {self._seed}"
        err(f"every invariant held in {count_of(len(result.rounds), 'round')}{of_seed}")
        return 0

    def _release_plainly(self) -> tuple[Player, Addresses]:
        """Release once without any fault, which gives the addresses. Raises `Unknown` if that does not succeed."""
        err("releasing without faults, to see what a release asks")
        expected = self.release.expected()
        player = Player(
            processes=self.release.processes,
            environ=self.release.environ(os.environ),
            arguments=self.release.arguments,
            options=self.release.child_options,
            deadline=_LEAST + _SLOWER * self.release.built_in,
            expected=expected,
        )
        folder = WorldFolder.of_round(self.folder, 0, self.release.base)
        with local.Beginning(folder.path) as servers:
            result = self._play_one(player, Round(number=0, injections=()), folder, servers)
        if result.violations:
            _require_room(folder)
            output = read_from(folder.path / "run-1.log", 0, _LIMIT).decode(errors="replace")
            for line in output.splitlines()[-20:]:
                err(f"  | {clean(line, limit=300)}")
            raise Unknown(
                f"a release without any fault does not pass: {list_some([each.what for each in result.violations], 3)}",
                where=str(folder.path),
                next_step=advice.REHEARSE_WITHOUT_CHAOS(),
                retryable=False,
            )
        self.plain = result.runs[0].seconds
        self.release.wait_as_long(self.plain)
        began = size_of(self.release.base.journal)  # the lines of the build, which a copy has, too
        met = addresses_of(read_from(folder.requests, 0, _LIMIT), read_from(folder.journal, began, _LIMIT))
        baseline = FinalState.of(folder.path)
        player = replace(player, expected=with_surfaces(expected, baseline), baseline=baseline)
        remove(folder.path)
        return player, met

    def _play_all(self, player: Player, met: Addresses) -> None:
        rounds = self._rounds(met)
        upcoming = next(rounds, None)
        if not self.options.injections:
            err(f"playing rounds of the seed {self._seed}")  # first, since nobody knows how they end
        until = time.monotonic() + self.options.minutes * 60 if self.options.minutes else None
        with ExitStack() as stack:
            servers = stack.enter_context(self._begin(upcoming)) if upcoming else None
            # One round at least: none would show nothing.
            while upcoming and servers and not (self.results and until is not None and time.monotonic() > until):
                round_, upcoming = upcoming, next(rounds, None)
                following = stack.enter_context(self._begin(upcoming)) if upcoming else None
                folder = self._folder_of(round_)
                began = time.monotonic()
                result = self._kept(self._play_one(player, round_, folder, servers), folder)
                self.results.append(replace(result, seconds=round(time.monotonic() - began, 3)))
                err(chaos_report.round_line(self.results[-1], self._planned))
                servers = following

    @property
    def _seed(self) -> str:
        """The seed as it is printed. Another version may draw other rounds from it."""
        return f"{self.options.seed}@{version}"

    @property
    def _planned(self) -> int:
        """How many rounds there will be, 0 if the time decides."""
        return 1 if self.options.injections else self.options.rounds

    def _folder_of(self, round_: Round) -> WorldFolder:
        return WorldFolder.of_round(self.folder, round_.number, self.release.base)

    def _begin(self, round_: Round) -> local.Beginning:
        return local.Beginning(self._folder_of(round_).path)

    def _play_one(self, player: Player, round_: Round, folder: WorldFolder, servers: local.Beginning) -> RoundResult:
        copy_base(self.release.base, folder, built=not round_.from_nothing)
        with servers.serve(**self.release.world):
            return player.play(round_, folder)

    def _kept(self, result: RoundResult, folder: WorldFolder) -> RoundResult:
        """Keep the folder of a round in which something is violated, and remove any other."""
        if not result.violations:
            remove(folder.path)
            return result
        _require_room(folder)
        replay = self.release.replay(result.injections, from_nothing=result.from_nothing)
        kept = replace(result, replay=replay, folder=str(folder.path))
        for line in chaos_report.violations_of(kept):
            err(line)
        return kept

    def _rounds(self, met: Addresses) -> Iterator[Round]:
        """Yield the rounds: the one that the user gave, or those that the seed gives."""
        if self.options.injections:
            yield Round(number=1, injections=self.options.injections, from_nothing=self.options.from_nothing)
            return
        built = self._deck(met)
        every = self._deck(met.joined(self.release.met()))
        from_nothing = tuple(card for card in every if not card.fault.of_built)
        number = 0
        while not self.options.rounds or number < self.options.rounds:
            number += 1
            yield draw(self.options.seed, number, built, from_nothing)

    def _deck(self, met: Addresses) -> tuple[Card, ...]:
        """Return the faults to draw from, and note why others are left out."""
        chosen = [each for each in FAULTS.values() if each.name in (self.options.faults or FAULTS)]
        lacking = {Need.ENGINE: self.release.no_images, Need.SIGNING: self.release.unsigned}
        possible = [each for each in chosen if not any(lacking[need] for need in each.needs)]
        deck = cards(possible, met)
        drawn = {card.fault.name for card in deck}
        self.skipped = [
            Skipped(
                fault=each.name,
                why=next((lacking[need] for need in each.needs if lacking[need]), "the release has no such request"),
            )
            for each in chosen
            if each.name not in drawn
        ]
        if not deck:
            raise Unknown(
                f"none of these faults can happen to this release: {list_some([each.name for each in chosen], 5)}",
                where=str(self.release.base.checkout),
                next_step=advice.LIST_FAULTS(),
                retryable=False,
            )
        return deck

    def _added_up(self) -> ChaosResult:
        rounds = tuple(self.results)
        found = Counter(name for each in rounds for name in {one.invariant for one in each.violations})
        return ChaosResult(
            version=version,
            seed=self.options.seed,
            tag=self.release.base.tag,
            plain=self.plain,
            rounds=rounds,
            faults=count_faults(rounds, {each.name: each.kind.value for each in FAULTS.values()}),
            invariants={name: found[name] for name in sorted({*INVARIANTS, *found})},
            kills=count_kills(rounds),
            reruns=sum(len(each.runs) - 1 for each in rounds),
            longest=max((one.seconds for each in rounds for one in each.runs), default=0.0),
            skipped=tuple(self.skipped),
            stopped=self.stopped,
        )

    def _warn(self, result: ChaosResult) -> None:
        """Warn of faults that were never met, and of those that were not drawn for want of something."""
        if unmet := [each.fault for each in result.faults if not each.met]:
            err(f"warning: never met: {list_some(unmet, 8)}")
        whys = dict.fromkeys(each.why for each in result.skipped)
        for why in whys:
            names = [each.fault for each in result.skipped if each.why == why]
            err(f"warning: skipped, because {clean(why)}: {list_some(names, 8)}")


def _require_room(folder: WorldFolder) -> None:
    """Raise `OSError` if the disk is full, which no release can help: what a round found then says nothing."""
    path = folder.path / "room"
    try:
        write_atomic(path, bytes(_ROOM), sync=False)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder.path)) from error
    remove(path)
