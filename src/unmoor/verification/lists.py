"""The lists of a release, ``SHA256SUMS`` and the manifest, compared with each other and with the files."""

from __future__ import annotations

import re
from collections.abc import Mapping

from unmoor import advice
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.manifest import Manifest
from unmoor.errors import Unknown, UnmoorError
from unmoor.publish.release_assets import SUMS
from unmoor.util.text import clean, list_some
from unmoor.verification.checks import CheckedItem, Mark
from unmoor.verification.downloads import Downloads
from unmoor.verification.signers import ReleaseSource

_LINE = re.compile(r"(?P<sha256>[0-9a-f]{64}) [ *](?P<name>\S.*)")


def read_manifest(held: Downloads, source: ReleaseSource, surface: str) -> tuple[Manifest | None, CheckedItem]:
    """Read the manifest, and compare what it is of with the tag. ``None`` if it cannot be read."""
    name = manifests.NAME
    try:
        data = held.content(name)
        if data is None:
            return None, absent(held, name, surface, "no manifest says what the release consists of")
        manifest = manifests.decode(data, where="")
    except UnmoorError as error:
        return None, CheckedItem.of_error(surface, name, error)
    found = {"tag": manifest.tag, "commit": manifest.commit}
    wanted = {"tag": source.tag, "commit": source.commit}
    unlike = [
        f"its {key} is {clean(found[key], 80)}, expected {wanted[key]}"
        for key in wanted
        if wanted[key] not in {"", found[key]}
    ]
    if unlike:
        return manifest, CheckedItem(surface=surface, name=name, mark=Mark.WRONG, note="; ".join(unlike))
    if not source.commit:
        note = "the commit of the tag could not be read"
        return manifest, CheckedItem(surface=surface, name=name, mark=Mark.UNKNOWN, note=note)
    note = f"{clean(manifest.project, 80)} {clean(manifest.version, 80)} at commit {manifest.commit}"
    return manifest, CheckedItem(surface=surface, name=name, mark=Mark.OK, note=note)


def check_sums(held: Downloads, manifest: Manifest | None, surface: str) -> tuple[Mapping[str, str], CheckedItem]:
    """Read ``SHA256SUMS``, and compare it with the manifest. Return the digests by name, none if it cannot be read."""
    try:
        data = held.content(SUMS)
        if data is None:
            return {}, absent(held, SUMS, surface, "no checksums are published")
        sums = read_sums(data)
    except UnmoorError as error:
        return {}, CheckedItem.of_error(surface, SUMS, error)
    if manifest is None:
        return sums, CheckedItem(surface=surface, name=SUMS, mark=Mark.OK, note=f"{len(sums)} files")
    listed = {each.name: each.sha256 for each in manifest.artifacts}
    if sums == listed:
        note = f"the same {len(sums)} files as {manifests.NAME}"
        return sums, CheckedItem(surface=surface, name=SUMS, mark=Mark.OK, note=note)
    names = sorted(name for name in {*sums, *listed} if sums.get(name) != listed.get(name))
    note = f"not the same as {manifests.NAME}: {list_some([clean(name, 120) for name in names], 5)}"
    return sums, CheckedItem(surface=surface, name=SUMS, mark=Mark.WRONG, note=note)


def read_sums(data: bytes) -> Mapping[str, str]:
    """Read the lines of ``sha256sum``. Raises `Unknown` for anything else, and for a name that is there twice."""
    found: dict[str, str] = {}
    text = data.decode("utf-8", "replace")
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None or match["name"] in found:
            raise Unknown(
                f"this is not a list of checksums: {clean(line, 80)!r}",
                next_step=advice.CHECK_WHAT_IS_SERVED(),
                retryable=False,
            )
        found[match["name"]] = match["sha256"]
    if not found:
        raise Unknown("it is empty", next_step=advice.CHECK_WHAT_IS_SERVED(), retryable=False)
    return found


def check_files(
    held: Downloads, lists: Mapping[str, Mapping[str, str]], surface: str, *, foreign: tuple[str, ...] = ()
) -> list[CheckedItem]:
    """Compare each file with what every list says of it. ``lists`` are digests by name, by the name of the list.

    ``foreign`` are files that no list names, although they look as if they were of the release.
    """
    names = sorted({name for each in lists.values() for name in each})
    checks = [_check_file(name, held, lists, surface) for name in names]
    note = f"neither {' nor '.join(lists)} names this file" if len(lists) > 1 else "no list names this file"
    return checks + [
        CheckedItem(surface=surface, name=clean(name), mark=Mark.WRONG, note=note)
        for name in foreign
        if name not in names
    ]


def _check_file(name: str, held: Downloads, lists: Mapping[str, Mapping[str, str]], surface: str) -> CheckedItem:
    file = held.files.get(name)
    if file is None:
        return absent(held, name, surface, f"{' and '.join(key for key in lists if name in lists[key])} names it")
    wrong = {key: each[name] for key, each in lists.items() if name in each and each[name] != file.sha256}
    if wrong:
        says = " and ".join(f"{key} says {digest}" for key, digest in wrong.items())
        note = f"it has sha256 {file.sha256}, and {clean(says, 200)}"
        return CheckedItem(surface=surface, name=clean(name), mark=Mark.WRONG, note=note)
    agreeing = " and ".join(key for key in lists if name in lists[key])
    return CheckedItem(surface=surface, name=clean(name), mark=Mark.OK, note=f"sha256 {file.sha256}, as in {agreeing}")


def absent(held: Downloads, name: str, surface: str, why: str) -> CheckedItem:
    """The check of a file that is not here: because it could not be read, or because it is not there."""
    if error := held.errors.get(name):
        return CheckedItem.of_error(surface, name, error)
    return CheckedItem(surface=surface, name=clean(name), mark=Mark.MISSING, note=why)
