"""The ports of deployments. Each is opened when a stage needs it, so that a release without it imports nothing."""

from __future__ import annotations

import msgspec


class Deployers(msgspec.Struct, frozen=True, kw_only=True):
    """What deployments talk to, each a function that opens it."""
