"""Questions that are asked once."""

from __future__ import annotations

import threading

import pytest

from unmoor.advice import NextStep
from unmoor.errors import Interrupted, Unknown
from unmoor.util.asked_once import AskedOnce


def test_many_threads_get_the_one_answer() -> None:
    """The others wait for it; another question is asked on its own."""
    once, asked, got = AskedOnce(), [], []
    everybody = threading.Barrier(8)

    def ask() -> int:
        asked.append(1)
        return len(asked)

    def run() -> None:
        everybody.wait(10)
        got.append(once("how many", ask))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert got == [1] * 8
    assert once("how many more", ask) == 2


def test_an_error_is_kept_too() -> None:
    """A server that fails is not asked a thousand times."""
    once, asked = AskedOnce(), []

    def fail() -> None:
        asked.append(1)
        raise Unknown("down", next_step=NextStep("wait"))

    for _ in range(3):
        with pytest.raises(Unknown, match="down"):
            once("anything", fail)
    assert len(asked) == 1


def test_an_interruption_is_no_answer() -> None:
    """It says nothing about the server."""
    once = AskedOnce()

    def stop() -> int:
        raise Interrupted("stopped")

    with pytest.raises(Interrupted):
        once("anything", stop)
    assert once("anything", lambda: 1) == 1
