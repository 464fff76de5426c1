"""Remove images that are not needed any more, by their names: the last name takes the image with it.

The builder keeps its cache, so building an image again is fast.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from unmoor.adapters.engine.connection import Connection
from unmoor.adapters.process.process_system import LABEL

# The local world's registries are on loopback.
_LOOPBACK = "127.0.0.1:"
# What the engine writes for a missing name.
_NONE = "<none>"


def forget(connection: Connection, prefix: str) -> None:
    """Remove the images with local names below a prefix; see `unmoor.ports.engine.Engine.forget`.

    The run's containers go first, such as those of a rehearsed service: an image that one uses stays.
    """
    for container in _containers(connection):
        with contextlib.suppress(LookupError):
            connection.ask(partial(_remove_container, name=container), what="a container of this run", stopping=True)
    for name in _names(connection, prefix):
        with contextlib.suppress(LookupError):
            connection.ask(partial(_remove, name=name), what=f"the name {name}", stopping=True)


def _containers(connection: Connection) -> list[str]:
    """The ids of this run's containers, running or not."""
    label = f"{LABEL}={connection.processes.run}"
    listed: list[Mapping[str, Any]] = connection.ask(
        lambda api: api.containers(all=True, filters={"label": label}), what="the containers of this run", stopping=True
    )
    return [str(each["Id"]) for each in listed]


def _remove_container(api: Any, name: str) -> None:
    api.remove_container(name, force=True, v=True)


def _remove(api: Any, name: str) -> None:
    api.remove_image(name)


def _names(connection: Connection, prefix: str) -> Iterator[str]:
    """The names to remove. Those with the prefix come last, so that an interrupted removal can be repeated."""
    listed: list[Mapping[str, Any]] = connection.ask(lambda api: api.images(), what="the images", stopping=True)
    for image in listed:
        tags = [str(name) for name in image.get("RepoTags") or ()]
        mine = [name for name in tags if name.startswith(f"{prefix}/")]
        others = [name for name in tags if name not in mine and not name.startswith(_LOOPBACK) and _NONE not in name]
        # Another run may use the same image, built from the same commit: keep its names.
        if mine and not others:
            known = [*tags, *(str(name) for name in image.get("RepoDigests") or ())]
            yield from (name for name in known if name.startswith(_LOOPBACK) and _NONE not in name)
        yield from mine
