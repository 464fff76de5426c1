"""What the requests in the log changed of a release, in order, and which of these changes cannot be taken back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from unmoor.rehearsal.invariants.evidence import Expected
from unmoor.rehearsal.invariants.request_log import LoggedRequest
from unmoor.rehearsal.invariants.stores import INDEX

FORGE = "forge"
_LONGEST = 300
"""Characters of a tag. Each of them may begin a version."""


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """One change: on which surface, of what (a file, an asset, a tag of an image, the release page), by which request.

    ``final``: it cannot be taken back. ``adds``: something is there that was not, rather than a state that changed.
    """

    surface: str
    what: str
    request: LoggedRequest
    final: bool
    adds: bool = True


def is_of(name: str, expected: Expected) -> bool:
    """Whether a file name is one of the version: its project and version, read as an index does."""
    try:
        project, version, *_ = parse_wheel_filename(name) if name.endswith(".whl") else parse_sdist_filename(name)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return name in expected.files
    return project == canonicalize_name(expected.project) and version == version_of(expected.version)


def version_of(text: str) -> Version | None:
    """The version in a tag or a label, such as ``v1.0`` or ``demo-1.0``; ``None`` if there is none."""
    return split_tag(text)[1]


def split_tag(text: str) -> tuple[str, Version | None]:
    """Split a tag into the part before its version, and the version: ``h11-`` and ``1.0``. ``None`` if there is none.

    A version begins at the start or after a separator; otherwise at the first digit.
    """
    if len(text) > _LONGEST:
        return text, None
    begins = [at for at in range(len(text)) if at == 0 or not (text[at - 1].isalnum() or text[at - 1] == ".")]
    begins += [at for at, char in enumerate(text) if char.isdigit()][:1]
    for at in begins:
        with contextlib.suppress(InvalidVersion):
            return text[:at], Version(text[at:])
    return text, None


def effects(log: Sequence[LoggedRequest], expected: Expected, digests: frozenset[str]) -> Iterator[Effect]:
    """Return every change of the release. ``digests`` are those of its images: a floating tag leads to others, too."""
    images = {(image.host, image.name): (image.tags, image.floating) for image in expected.images}
    pages: dict[int, str] = {}
    held: dict[tuple[str, str], str] = {}
    for request in log:
        if request.release and request.tag:
            pages[request.release] = request.tag
        if not request.writes or not request.done:
            continue
        match request.server:
            case "pypi" | "testpypi":
                if request.outcome == "stored" and is_of(request.file, expected):
                    yield Effect(
                        surface=request.server, what=request.file, request=request, final=request.server == INDEX
                    )
            case "forge":
                if pages.get(request.release) == expected.tag:
                    yield from _of_page(request)
            case "registry":
                yield from _of_image(request, images, held, digests)
            case _:
                pass


def _of_page(request: LoggedRequest) -> Iterator[Effect]:
    if request.removed or request.method == "DELETE":
        yield Effect(surface=FORGE, what=request.removed or "page", request=request, final=False, adds=False)
    elif request.file:
        yield Effect(surface=FORGE, what=request.file, request=request, final=False)
    else:
        is_public = request.draft is False
        yield Effect(surface=FORGE, what="page", request=request, final=is_public, adds=request.method == "POST")


def _of_image(
    request: LoggedRequest,
    images: Mapping[tuple[str, str], tuple[Sequence[str], Sequence[str]]],
    held: dict[tuple[str, str], str],
    digests: frozenset[str],
) -> Iterator[Effect]:
    """A manifest that was not there is an upload; a tag that leads elsewhere, a change for everybody who pulls it."""
    if request.manifest is None or request.method != "PUT" or not request.digest:
        return
    name, reference = request.manifest
    if (request.host, name) not in images:
        return
    tags, floating = images[request.host, name]
    at = f"{request.host}/{name}"
    if reference in tags or reference in floating:
        is_own = reference in tags or request.digest in digests
        if is_own and held.get((at, reference)) != request.digest:
            yield Effect(surface=request.host, what=f"{name}:{reference}", request=request, final=True)
    elif (at, request.digest) not in held:
        yield Effect(surface=request.host, what=f"{name}@{request.digest}", request=request, final=False)
    held[at, reference] = held[at, request.digest] = request.digest
