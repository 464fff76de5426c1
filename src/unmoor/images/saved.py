"""Images of this machine as archives, for programs that read these."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from unmoor.errors import ToolMissing
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.engine import Engine
from unmoor.products import Image


def title(image: Image) -> str:
    """The name of an image with its target and platform, for messages."""
    return f"{image.name}{f' ({image.target})' if image.target else ''} for {image.platform}"


def is_here(image: Image, engine: Engine) -> bool:
    """Whether the engine has an image. An earlier run has pushed one that it does not have."""
    try:
        return engine.look(image.id) is not None
    except ToolMissing:
        return False


@contextmanager
def archive_of(image: Image, engine: Engine) -> Iterator[Path]:
    """Save an image to an archive, which is gone afterwards. Raises `Incomplete`, `Unknown`."""
    with temporary_folder() as folder:
        archive = folder / "image.tar"
        engine.save([image.id], archive)
        yield archive
