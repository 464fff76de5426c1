"""How the time that something takes grows with the length of a text."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

Make = Callable[[int], str]
"""Makes a text of about so many characters."""
_FIRST, _LAST = 8_000, 64_000
# Less than this measures nothing but the machine.
_LEAST = 0.01
# Eight times the text takes eight times as long, or sixty-four times if the time is quadratic.
_STEP, _MOST = 8, 32
_ATTEMPTS = 4
# Seconds that no busy moment of the machine explains.
_SURE = 0.1


def repeated(piece: str, *, before: str = "", after: str = "") -> Make:
    """Return a function that repeats a piece, with something before and after all of them."""
    return lambda size: before + piece * (size // len(piece) + 1) + after


def numbered(piece: str, *, before: str = "", after: str = "") -> Make:
    """Return a function that repeats a piece, with the numbers from 0 in place of ``{}``."""
    return lambda size: before + "".join(piece.replace("{}", str(n)) for n in range(size // len(piece) + 1)) + after


def grows_slowly(work: Callable[[str], object], make: Make) -> bool:
    """Whether eight times the text takes at most 32 times as long, at one length up to 64 kB.

    What is bounded, such as a comparison with the first thousand lines, may grow quickly up to its bound, and a machine
    can be busy for a moment. Quadratic time shows at every length. Measures the CPU time of this thread, and takes the
    best of several attempts.
    """
    work(make(100))  # imports
    size, took = _FIRST, _seconds(work, make(_FIRST))
    while True:
        if took >= _LEAST and _grows_slowly_to(work, make, size, took):
            return True
        if size >= _LAST or took > _SURE:
            return took < _LEAST
        size *= _STEP
        took = _seconds(work, make(size))


def _grows_slowly_to(work: Callable[[str], object], make: Make, size: int, took: float) -> bool:
    small = min(_seconds(work, make(size // _STEP)) for _ in range(_ATTEMPTS))
    for _ in range(2 if took > _SURE else _ATTEMPTS):
        if took <= _MOST * small:
            return True
        took = min(took, _seconds(work, make(size)))
    return False


def _seconds(work: Callable[[str], object], text: str) -> float:
    # A collection takes as long as everything that the tests have imported, and may come at any time.
    gc.disable()
    try:
        begun = time.thread_time()
        work(text)
        return time.thread_time() - begun
    finally:
        gc.enable()
