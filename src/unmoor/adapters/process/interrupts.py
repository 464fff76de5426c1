"""What asks unmoor to end before a run handles it, even during an import: one `KeyboardInterrupt`."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

# No system has all four.
_ASKS = frozenset({"SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"})


@contextlib.contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """Raise `KeyboardInterrupt` in this context for the first signal. The second one ends unmoor at once.

    One that is ignored stays so: nohup and shells do that to what they start in the background. Only for the main
    thread. Afterwards the signals end the process, as they do without Python.
    """
    usual = (signal.SIG_DFL, signal.default_int_handler)
    watched = [each for each in signal.Signals if each.name in _ASKS and signal.getsignal(each) in usual]

    def release() -> None:
        for number in watched:
            signal.signal(number, signal.SIG_DFL)

    def stop(_number: int, _frame: object) -> None:
        release()
        raise KeyboardInterrupt

    for number in watched:
        signal.signal(number, stop)
    try:
        yield
    finally:
        release()
