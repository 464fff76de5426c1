"""Where floating tags pointed before they moved to a release, as far as a record says so.

The run folder has the exact position of each tag right before it moved; ``pushed.json`` on the release has those of
the time of the push.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Self

import msgspec

from unmoor import advice
from unmoor.artifacts.run_dir import RunFolder
from unmoor.errors import Unknown
from unmoor.filesystem.files import read_regular, write_atomic
from unmoor.products import MovedTag, TagPosition
from unmoor.publish import push_record
from unmoor.util.decode import decode_json

RECORD = "pointers.json"
UNRECORDED = (
    f"neither {RECORD} in the run folder nor {push_record.NAME} on the release says where it pointed before; move it"
    " by hand: docker buildx imagetools create --tag NAME:TAG NAME:VERSION"
)
_LIMIT = 1_000_000
_WRITING = threading.Lock()
_Key = tuple[str, str, str]
"""The image's name, the tag, and the digest that it was moved to."""


class TagPositions(msgspec.Struct, frozen=True, kw_only=True):
    """Where floating tags pointed before: exactly, as recorded right before each moved here, or as they were pushed."""

    path: str
    exact: Mapping[_Key, str | None]
    pushed: Mapping[tuple[str, str], str | None]

    @classmethod
    def of(cls, folder: RunFolder, before: Iterable[TagPosition]) -> Self:
        """Read the record in the run folder, and take ``before`` from the one on the release. Raises `Unknown`."""
        pushed = {(each.name, each.tag): each.digest for each in before}
        return cls(path=str(folder.path / RECORD), exact=_read(folder), pushed=pushed)

    def pointer(self, name: str, tag: str, digest: str) -> MovedTag:
        """A floating tag that points at a digest of the release, with where it pointed before."""
        record, before = "", None
        if (name, tag, digest) in self.exact:
            record, before = self.path, self.exact[name, tag, digest]
        elif (name, tag) in self.pushed:
            record, before = push_record.NAME, self.pushed[name, tag]
        return MovedTag(name=name, tag=tag, digest=digest, floating=True, before=before, record=record)


def record_position(folder: RunFolder, name: str, tag: str, digest: str, *, before: str | None) -> None:
    """Record in the run folder where a tag points before it moves to ``digest``."""
    with _WRITING:
        record = {**_read(folder), (name, tag, digest): before}
        notes = [_Entry(name=key[0], tag=key[1], digest=key[2], before=was) for key, was in record.items()]
        folder.open()
        write_atomic(folder.path / RECORD, msgspec.json.format(msgspec.json.encode(notes), indent=2) + b"\n")


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    tag: str
    digest: str
    before: str | None


def _read(folder: RunFolder) -> dict[_Key, str | None]:
    """The recorded positions, oldest first. Raises `Unknown` if the record is malformed: nothing is guessed."""
    path = folder.path / RECORD
    try:
        notes = decode_json(read_regular(path, _LIMIT), tuple[_Entry, ...])
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise Unknown(
            "the record of where floating tags pointed cannot be read",
            where=str(path),
            next_step=advice.FIX_POSITIONS(),
            retryable=False,
        ) from error
    return {(each.name, each.tag, each.digest): each.before for each in notes}
