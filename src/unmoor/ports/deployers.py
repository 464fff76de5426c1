"""The ports of deployments. Each is opened when a stage needs it, so that a release without it imports nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from unmoor.ports.announcer import Announcer


class Deployers(msgspec.Struct, frozen=True, kw_only=True):
    """What deployments talk to, each a function that opens it.

    ``announcer`` takes the targets of the settings, each with the variable of its address; it is ``None`` in a world
    without a place for messages.
    """

    announcer: Callable[[Mapping[str, str]], Announcer] | None = None
