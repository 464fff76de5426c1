"""Whether a version is the highest published one, which is what ``latest`` means on every surface.

A tag alone proves no release, since an abandoned release leaves its tag. So the versions on the production
index that are not yanked decide. If it holds no other version, the forge's public releases decide; if
there are none, the tags do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from packaging.version import Version

from unmoor.errors import Denied, Unknown
from unmoor.ports.forge import Forge
from unmoor.ports.index import Index
from unmoor.versioning import pep440
from unmoor.versioning.tag_scheme import Naming


def is_latest(
    version: Version,
    tagged: Iterable[Version],
    *,
    project: str,
    naming: Naming,
    index: Index | None,
    forge: Forge | None,
    moves: bool,
    warn: Callable[[str], None],
) -> bool:
    """Whether a version is final and no published final version is higher. A prerelease never is; nothing is read.

    The version itself does not count, so that a resumed run decides as the first one did. If the index or
    the forge cannot be read, raises `Unknown` if ``moves``; otherwise warns and returns ``False``.
    """
    if version.is_prerelease:
        return False
    try:
        others = _other_versions(version, tagged, project=project, naming=naming, index=index, forge=forge)
    except (Unknown, Denied) as error:
        if moves:
            raise Unknown(
                f"cannot determine whether {version} is the highest published version: {error.what}",
                where=error.where,
                **error.advice,
            ) from error
        warn(f"cannot determine whether {version} is the highest published version, so it does not count as: {error}")
        return False
    return pep440.is_highest(version, others)


def _other_versions(
    version: Version,
    tagged: Iterable[Version],
    *,
    project: str,
    naming: Naming,
    index: Index | None,
    forge: Forge | None,
) -> tuple[Version, ...]:
    """The other versions that count, from the first source that knows any."""
    held = {each: yanked for each, yanked in (index.versions(project) if index else {}).items() if each != version}
    if held:
        return tuple(each for each, yanked in held.items() if not yanked)
    public = (each for _, each in naming.known(forge.released() if forge else ()).values())
    return tuple(each for each in public if each != version) or tuple(tagged)
