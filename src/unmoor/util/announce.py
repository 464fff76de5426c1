"""Report a long wait from places that no stage hands its ``say`` to, such as adapters and the clock."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

Say = Callable[[str], None]


def _nobody(_text: str) -> None:
    """Report to nobody."""


_say: ContextVar[Say] = ContextVar("unmoor_say", default=_nobody)


@contextlib.contextmanager
def announcing_to(say: Say) -> Iterator[None]:
    """Pass announcements in this context, and in threads that copy it, to ``say``."""
    token = _say.set(say)
    try:
        yield
    finally:
        _say.reset(token)


def announce(text: str) -> None:
    """Report something that the user should know now. Nobody hears it outside a stage."""
    _say.get()(text)
