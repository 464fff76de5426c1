"""Read which names an archive of images would give, before an engine loads it.

An engine takes every name in an archive, also that of a base image, and the next build would start from it. What
another job hands over may only hold names that no build and no user ever uses: those below the local prefix. The image
behind such a name is compared by its digest.

Sources: the archive format of ``docker save`` (``manifest.json``, ``repositories``), and the OCI image layout
(``index.json``) with the annotations by which engines name its images.
"""

from __future__ import annotations

import posixpath
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from unmoor import advice
from unmoor.errors import Conflict
from unmoor.filesystem.safe_folder import open_regular
from unmoor.images.image_names import LOCAL
from unmoor.util.decode import decode_json
from unmoor.util.text import clean

_LISTS = ("manifest.json", "repositories", "index.json")
_ANNOTATIONS = ("io.containerd.image.name", "org.opencontainers.image.ref.name", "com.docker.official-images.name")
_LIMIT = 1_000_000
_MEMBERS = 100_000


def require_local_names(archive: Path) -> None:
    """Raise `Conflict` if an archive holds an image with a name that is not below the local prefix, or is damaged."""
    try:
        foreign = sorted({name for name in _names_in(archive) if not name.startswith(f"{LOCAL}/")})
    except (tarfile.TarError, ValueError, TypeError, KeyError, AttributeError, EOFError) as error:
        raise Conflict(
            f"this is not an archive of images as unmoor saves it: {clean(str(error), 200)}",
            where=str(archive),
            next_step=advice.HAND_OVER_ARCHIVE(),
        ) from error
    if foreign:
        raise Conflict(
            "the archive would also give an image the name\n" + "\n".join(clean(name, 200) for name in foreign[:20]),
            where=str(archive),
            next_step=advice.FIND_WHO_CHANGED_ARCHIVE(),
        )


def _names_in(archive: Path) -> Iterator[str]:
    """Every name in each list of the archive. Raises `ValueError` for a list that is a link, too large or no JSON."""
    with open_regular(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
        for count, member in enumerate(tar):
            name = posixpath.normpath(member.name).lstrip("/")
            if count >= _MEMBERS:
                raise ValueError(f"it has more than {_MEMBERS} entries")
            if name not in _LISTS:
                continue
            file = tar.extractfile(member) if member.isreg() and member.size <= _LIMIT else None
            if file is None:
                raise ValueError(f"{name} is a link, or too large")
            yield from _names_of(name, file.read())


def _names_of(kind: str, data: bytes) -> Iterator[str]:
    if kind == "manifest.json":
        for image in decode_json(data, list[dict[str, Any]]):
            yield from image.get("RepoTags") or ()
    elif kind == "repositories":
        yield from decode_json(data, dict[str, Any])
    else:
        for each in decode_json(data, dict[str, Any]).get("manifests") or ():
            yield from _annotated(each.get("annotations") or {})


def _annotated(annotations: Mapping[str, str]) -> Iterator[str]:
    """The names in the annotations of one image; a bare tag is no name."""
    for key in _ANNOTATIONS:
        if (name := annotations.get(key)) and ("/" in name or ":" in name):
            yield name
