"""What asks unmoor to end before a run handles it, even during an import: one `KeyboardInterrupt`.

Python drops an exception that is raised while it calls ``__del__`` or a callback of a weak reference, which the end of
each import does. Then it is raised a moment later, once more.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from typing import Any

# No system has all four.
_ASKS = frozenset({"SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"})
# Those whose number a shell adds to 128 for the exit code. A stop by the user is 130 on every system.
_COUNTED = frozenset({"SIGTERM", "SIGHUP"})
_STOPPED = 130
# Seconds until a request to end that was dropped is made once more.
_SOON = 0.01
_noted: list[int] = []


def note_signal(number: int) -> None:
    """Remember the signal that asked this process to end. The first one counts."""
    _noted.append(number)


def exit_code_of(code: int) -> int:
    """The exit code of the process, given that of its command: a stop by TERM or HUP has the code of that signal."""
    name = signal.Signals(_noted[0]).name if _noted else ""
    return 128 + _noted[0] if code == _STOPPED and name in _COUNTED else code


@contextlib.contextmanager
def interrupted_by_signals(early: object = None) -> Iterator[None]:
    """Raise `KeyboardInterrupt` in this context for the first signal. The second one ends unmoor at once.

    One that is ignored stays so: nohup and shells do that to what they start in the background. ``early`` is the
    handler that it replaces. Only for the main thread. Afterwards the signals end the process, as they do without
    Python.
    """
    usual = (signal.SIG_DFL, signal.default_int_handler, early)
    watched = [each for each in signal.Signals if each.name in _ASKS and signal.getsignal(each) in usual]
    before = sys.unraisablehook

    def release() -> None:
        for number in watched:
            signal.signal(number, signal.SIG_DFL)

    def stop(number: int, _frame: object) -> None:
        release()
        note_signal(number)
        raise KeyboardInterrupt

    def dropped(unraisable: Any) -> None:
        if not _noted or not isinstance(unraisable.exc_value, KeyboardInterrupt):
            before(unraisable)
            return
        import _thread
        import threading

        signal.signal(_noted[0], stop)
        again = threading.Timer(_SOON, _thread.interrupt_main, (_noted[0],))
        again.daemon = True
        again.start()

    for number in watched:
        signal.signal(number, stop)
    sys.unraisablehook = dropped
    try:
        yield
    finally:
        sys.unraisablehook = before
        release()
