"""What the servers of a local world hold, to see whether anything changed."""

from __future__ import annotations

from pathlib import Path

from unmoor.filesystem.files import sha256_of


def surfaces(world: Path) -> dict[str, str]:
    """Return every file of a world by its path and sha256, without what is only a record of requests."""
    # A registry keeps an upload that was begun to see whether a login may write.
    kept = (
        path
        for path in world.rglob("*")
        if path.is_file() and path.suffix not in {".jsonl", ".log"} and "_uploads" not in path.parts
    )
    return {path.relative_to(world).as_posix(): sha256_of(path) for path in kept}
