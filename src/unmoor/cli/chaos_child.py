"""One run of a round of chaos: ``python -m unmoor.cli.chaos_child DIR [--faults] [--beside] -- release …``.

DIR is the folder of the round's world. The process writes its id to ``client.pid`` there, so that the servers can end
it at a request, and runs the command line as ``unmoor`` does. With ``--faults`` it meets what the round's plan has for
lines of the journal: after such a line is on disk, it sends itself a signal, or changes the git remote. With
``--beside`` it is another run beside the first, which nothing is planned for. ``--images PREFIX`` is what the names of
built images begin with.

This is the only place that changes the program for chaos. A usual run imports nothing of it.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from unmoor.adapters.process.clients import send_signal
from unmoor.core.journal import FileJournal
from unmoor.filesystem.files import write_atomic
from unmoor.filesystem.safe_folder import open_in_place
from unmoor.rehearsal.chaos.addresses import route_of_line
from unmoor.rehearsal.faults import control, git_remote
from unmoor.rehearsal.faults.control import Met
from unmoor.rehearsal.faults.injection import CLIENT_PID, JOURNAL, Injected, Kill, Plan
from unmoor.rehearsal.shared.store import append_line


class JournalFaults:
    """What is planned for lines of the journal, in a journal that meets it."""

    def __init__(self, world: Path, plan: Plan) -> None:
        self._world = world
        self._plan = plan
        self._due = [each for each in plan.injections if each.service == JOURNAL]
        self._counts: Counter[str] = Counter()
        self._handle = open_in_place(world / control.MET, flags=os.O_WRONLY | os.O_APPEND, mode=0o600)

    def arm(self) -> None:
        """Have every journal of this process meet them."""
        append = FileJournal._append  # noqa: SLF001 - this process exists to end within it

        def append_and_meet(self: FileJournal, line: bytes) -> None:
            append(self, line)
            meet(line)

        meet = self._meet
        FileJournal._append = append_and_meet  # type: ignore[method-assign]  # noqa: SLF001

    def _meet(self, line: bytes) -> None:
        route = route_of_line(line)
        self._counts[route] += 1
        number = self._counts[route]
        for each in self._due:
            if each.route == route and each.meets(number):
                self._happen(each, number)

    def _happen(self, injected: Injected, number: int) -> None:
        if isinstance(injected, Kill):
            self._record(injected, number, effect=True)
            send_signal(os.getpid(), injected.signal)
        else:
            done = git_remote.carry_out(injected.fault, self._world / "remote.git", self._plan.tag)
            self._record(injected, number, effect=done)

    def _record(self, injected: Injected, number: int, *, effect: bool) -> None:
        met = Met(
            round=self._plan.round,
            injection=str(injected),
            number=number,
            request=injected.route,
            at=time.time(),
            effect=effect,
        )
        append_line(self._handle, msgspec.to_builtins(met))


def main(arguments: Sequence[str]) -> None:
    """Run the command line; see the module."""
    at = arguments.index("--")
    folder, *options = arguments[:at]
    world = Path(folder)
    if "--beside" not in options:
        write_atomic(world / CLIENT_PID, str(os.getpid()).encode())
    if "--faults" in options:
        plan = control.read_plan(world)
        if any(each.service == JOURNAL for each in plan.injections):
            JournalFaults(world, plan).arm()
    if "--images" in options:
        from unmoor.images import image_names

        # The options of a run read it once, when their module is imported.
        image_names.LOCAL = options[options.index("--images") + 1]
    sys.argv[1:] = arguments[at + 1 :]
    from unmoor.cli import main as unmoor

    unmoor()


if __name__ == "__main__":
    main(sys.argv[1:])
