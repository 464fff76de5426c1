"""Attach one file to a release on the forge. After a lost answer, check whether it arrived before sending it again."""

from __future__ import annotations

from collections.abc import Callable

from unmoor import advice
from unmoor.artifacts.files import is_intact
from unmoor.errors import Conflict, Incomplete, Refused, Rejected, Unknown
from unmoor.ports.clock import Clock
from unmoor.ports.failure import require_not_put_off
from unmoor.ports.forge import Forge, ForgeAsset, ForgeRelease
from unmoor.ports.poll import poll
from unmoor.products import File
from unmoor.publish.file_comparison import Match
from unmoor.publish.release_assets import compare_asset, find_asset

# Upload hosts often answer 502 after they stored the file: try three times, and check before each new try.
_MAX_TRIES = 3
LIST_PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds between reads of a list that lags behind writes, by up to half a minute."""


def find_release(forge: Forge, tag: str, release_id: int) -> ForgeRelease | None:
    """Find a release object of a tag by its number; ``None`` if it is not listed. Raises `Denied`, `Unknown`."""
    return next((each for each in forge.releases(tag) if each.id == release_id), None)


def read_again(forge: Forge, clock: Clock, forge_release: ForgeRelease) -> ForgeRelease:
    """Read a release object that was there before; the list may lag behind. Raises `Denied`, `Unknown`."""
    tag = forge_release.tag
    there = poll(lambda: find_release(forge, tag, forge_release.id), waits=LIST_PAUSES, clock=clock)
    if there is None:
        raise Unknown(f"the draft of {tag} is no longer listed", where=forge.address)
    return there


def attach(forge: Forge, clock: Clock, forge_release: ForgeRelease, file: File, say: Callable[[str], None]) -> None:
    """Upload one file, in up to three tries. Removes what an upload that broke off left under its name.

    Raises `Conflict` if the file changed on disk or the forge renames it, `Refused` if another run attached
    other bytes under the name, `Rejected` and `Denied` as the forge does, and `Unknown` if no try was answered.
    """
    ends = clock.now() + clock.patience
    for attempt in range(_MAX_TRIES):
        _require_intact(file)
        say(f"attaching {file.name}")
        try:
            asset = forge.attach(forge_release, file)
        except (Unknown, Rejected) as error:
            say(f"no usable answer for {file.name}, checking before sending it again: {error.what}")
            clock.sleep(float(attempt))
            there = read_again(forge, clock, forge_release)
            held = find_asset(there, file.name)
            if _is_whole(held, file):
                return
            if isinstance(error, Rejected):
                if held is None:
                    raise
                if held.uploaded:
                    raise busy(there) from error
            if held is not None:
                forge.detach(held)
            if attempt + 1 == _MAX_TRIES or clock.now() >= ends:
                require_not_put_off(error)
                raise
        else:
            _require_same_name(asset.name, file)
            return


def replace_asset(
    forge: Forge, clock: Clock, forge_release: ForgeRelease, file: File, say: Callable[[str], None]
) -> None:
    """Attach one file to a draft in place of what has its name, and read it back by sha256.

    Does nothing if the draft holds it already. Raises `Incomplete` if it does not read back, and what `attach` raises.
    """
    held = find_asset(forge_release, file.name)
    if _is_there(held, file, forge):
        return
    if held is not None:
        say(f"removing {file.name} from the draft: another one takes its place")
        forge.detach(held)
    attach(forge, clock, forge_release, file, say)

    def look() -> bool:
        return _is_there(find_asset(read_again(forge, clock, forge_release), file.name), file, forge)

    if not poll(look, waits=LIST_PAUSES, clock=clock):
        raise Incomplete(f"{file.name} is not on the draft when read back", where=forge_release.url)


def busy(forge_release: ForgeRelease) -> Refused:
    """Return the error for a draft that another run is filling."""
    return Refused(
        "another run is adding its own files to the draft",
        where=forge_release.url,
        next_step=advice.WAIT_FOR_OTHER_RUN(),
        retryable=True,
    )


def _is_whole(held: ForgeAsset | None, file: File) -> bool:
    """Whether an asset is the whole file, as far as the forge's list says."""
    return held is not None and held.uploaded and held.size == file.size and held.sha256 in {None, file.sha256}


def _is_there(held: ForgeAsset | None, file: File, forge: Forge) -> bool:
    return compare_asset(held, file.sha256, forge, size=file.size).match is Match.SAME


def _require_intact(file: File) -> None:
    if not is_intact(file):
        raise Conflict(
            f"{file.name} changed on disk: it is no longer sha256 {file.sha256}",
            where=str(file.path),
            next_step=advice.REMOVE_RUN_FOLDER(),
            retryable=True,
        )


def _require_same_name(name: str, file: File) -> None:
    if name != file.name:
        raise Conflict(
            f"the forge renamed {file.name} to {name}: SHA256SUMS would list a file that is not there",
            next_step=advice.RENAME_FILE(),
        )
