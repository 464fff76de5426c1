"""``pushed.json``: what the registries hold of a release, and what its floating tags pointed at before.

An asset of the release. It can be made again at any time by reading the registries, so nothing has to vouch for
it: a reader compares what it says with the registries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256

import msgspec

from unmoor import advice
from unmoor.artifacts import oci
from unmoor.artifacts.run_dir import RunFolder
from unmoor.errors import Conflict, Unknown
from unmoor.ports.clock import Clock
from unmoor.ports.forge import Forge, ForgeRelease
from unmoor.products import Asset, File, Pushed, PushedImage, Release, TagPosition
from unmoor.publish.asset_upload import replace_asset
from unmoor.publish.release_assets import content_of, find_asset
from unmoor.util.decode import decode_json

NAME = "pushed.json"
SCHEMA = 1
LIMIT = 1_000_000
"""The largest size of a record, in bytes."""


class PushRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Every target on every registry by digest, and where floating tags pointed before the push.

    A floating tag that is not in ``before`` had moved to this release before anything was recorded.
    """

    schema: int = SCHEMA
    tag: str
    commit: str
    images: tuple[PushedImage, ...]
    before: tuple[TagPosition, ...] = ()

    def says(self, release: Release, images: Iterable[PushedImage]) -> bool:
        """Whether it lists exactly these images for a release, in any order."""
        return (self.tag, self.commit, frozenset(self.images)) == (release.tag, release.commit, frozenset(images))


class HeldRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The record on a release; ``record`` is ``None`` if it is not one that this version can read."""

    asset: Asset
    record: PushRecord | None


def encode(record: PushRecord) -> bytes:
    """Encode as JSON with sorted keys, an indent of two, and a final newline."""
    return msgspec.json.format(msgspec.json.encode(record, order="sorted"), indent=2) + b"\n"


def decode(data: bytes) -> PushRecord | None:
    """Decode JSON; ``None`` if it is no record of this schema, or names something that is no digest or tag."""
    try:
        record = decode_json(data[: LIMIT + 1], PushRecord)
    except ValueError:
        return None
    digests = [image.digest for image in record.images]
    digests += [digest for image in record.images for _, digest in image.platforms]
    digests += [each.digest for each in record.before if each.digest is not None]
    tags = [*(image.tag for image in record.images), *(each.tag for each in record.before)]
    is_sound = record.schema == SCHEMA and all(map(oci.is_digest, digests)) and all(map(oci.is_tag, tags))
    return record if is_sound else None


def read_record(forge_release: ForgeRelease, forge: Forge) -> HeldRecord | None:
    """Read the record on a release, ``None`` if there is none. Raises `Unknown`."""
    asset = find_asset(forge_release, NAME)
    if asset is None or not asset.uploaded:
        return None
    if asset.size > LIMIT:
        return HeldRecord(asset=Asset(name=NAME, sha256=asset.sha256 or "", size=asset.size), record=None)
    data = content_of(asset, forge, limit=LIMIT)
    return HeldRecord(asset=_asset(data), record=decode(data))


def recorded(
    held: HeldRecord | None, forge_release: ForgeRelease, release: Release, images: tuple[PushedImage, ...]
) -> Pushed | None:
    """Return what was pushed, if the release says so; ``None`` if a draft does not.

    A public release cannot be given a record any more, so it may lack one. Raises `Conflict` if the one on a
    public release lists other images, `Unknown` if it cannot be read.
    """
    if held is not None and held.record is not None and held.record.says(release, images):
        return Pushed(images=images, record=held.asset, before=held.record.before)
    if forge_release.draft:
        return None
    if held is None:
        return Pushed(images=images)
    if held.record is None:
        raise Unknown(
            f"cannot read {NAME}, which the public release of {release.tag} holds",
            where=forge_release.url,
            next_step=advice.CHECK_RELEASE_BY_HAND(),
            retryable=False,
        )
    raise Conflict(
        f"{NAME} of the public release lists {_digests(held.record.images)}, but the registries hold"
        f" {_digests(images)}",
        where=forge_release.url,
        next_step=advice.FIND_WHO_PUSHED(),
    )


def attach_record(
    record: PushRecord,
    forge_release: ForgeRelease,
    forge: Forge,
    *,
    folder: RunFolder,
    clock: Clock,
    say: Callable[[str], None],
) -> Pushed:
    """Attach a record to a draft in place of an older one, read it back, and return what was pushed.

    Raises what `replace_asset` does.
    """
    data = encode(record)
    path = folder.write_asset(NAME, data)
    asset = _asset(data)
    replace_asset(forge, clock, forge_release, File(name=NAME, sha256=asset.sha256, size=asset.size, path=path), say)
    return Pushed(images=record.images, record=asset, before=record.before)


def _asset(data: bytes) -> Asset:
    return Asset(name=NAME, sha256=sha256(data).hexdigest(), size=len(data))


def _digests(images: Iterable[PushedImage]) -> str:
    return ", ".join(f"{each.name}:{each.tag} as {each.digest}" for each in images) or "nothing"
