"""What the settings and the world say of one service, ready to deploy."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from unmoor.deploy.service.watch import WatchLimits

_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_.-]+")


class ServicePlan(msgspec.Struct, frozen=True, kw_only=True):
    """One service: ``project`` is the repository, ``slots`` map two names to loopback ports, ``port`` is inside.

    ``monitor`` is in seconds. ``prefix`` begins the names of its containers, and tells those of a rehearsal apart.
    """

    name: str
    project: str
    port: int
    slots: Mapping[str, int]
    smoke: tuple[str, ...]
    monitor: float
    limits: WatchLimits
    prefix: str = ""

    def container_name(self, slot: str) -> str:
        """The name of a slot's container: one for each, so that two deployments cannot both make it."""
        project = _NOT_A_NAME.sub("-", self.project).strip("-.").lower()
        return "-".join(filter(None, (self.prefix, project, self.name, slot)))


class ServiceVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The version to serve: the digest that was proven, the release's tag, and the image's name with its registry."""

    digest: str
    tag: str
    image: str
