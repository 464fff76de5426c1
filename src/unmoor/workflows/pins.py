"""The actions that the workflows use, each pinned to the commit of a version.

A bot may raise the pins in a written file; `unmoor workflows check` lets newer ones pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec


class Pin(msgspec.Struct, frozen=True):
    """The commit of an action, 40 hexadecimal digits, and the version tag that it had."""

    commit: str
    version: str


PINS: Mapping[str, Pin] = MappingProxyType(
    {
        "actions/attest": Pin("1e69f48acb82d1966a394da916b4c1698aa569d6", "v4.2.2"),
        "actions/cache": Pin("27d5ce7f107fe9357f9df03efb73ab90386fccae", "v5.0.5"),
        "actions/checkout": Pin("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
        "actions/dependency-review-action": Pin("2031cfc080254a8a887f58cffee85186f0e49e48", "v4.9.0"),
        "actions/download-artifact": Pin("3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", "v8.0.1"),
        "actions/setup-python": Pin("5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
        "actions/upload-artifact": Pin("bbbca2ddaa5d8feaa63e36b76fdaad77386f024f", "v7.0.0"),
        "docker/setup-buildx-action": Pin("37fe631027851001ddb9b187196cc803df7f5f0e", "v4.3.0"),
        "docker/setup-qemu-action": Pin("96fe6ef7f33517b61c61be40b68a1882f3264fb8", "v4.2.0"),
        "github/codeql-action": Pin("8aad20d150bbac5944a9f9d289da16a4b0d87c1e", "v4.36.2"),
    }
)


def pin_of(action: str) -> Pin:
    """The pin of an action. ``github/codeql-action/init`` is pinned with its repository. Raises `KeyError`."""
    owner, name, *_ = action.split("/")
    return PINS[f"{owner}/{name}"]
