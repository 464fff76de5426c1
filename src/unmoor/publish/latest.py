"""Whether a version is the highest of all that are published: what ``latest`` means on every surface.

Tags are promises, and some are never kept: a release that was given up leaves its tag. So the production
index is asked first, without what was yanked there. Where it holds no other version than this one, the
forge's public releases decide, and where there are none, the tags.
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
    """Whether a version is final and no published final is higher. A prerelease needs nobody's answer.

    The version itself never counts, so that a run that goes on decides as the first one did. What cannot
    be read is never taken for absent: raises `Unknown` if ``moves``; else says so, and answers no.
    """
    if version.is_prerelease:
        return False
    try:
        others = _others(version, tagged, project=project, naming=naming, index=index, forge=forge)
    except (Unknown, Denied) as error:
        if moves:
            raise Unknown(
                f"it cannot be told whether {version} is the highest published version: {error.what}",
                where=error.where,
                **error.advice,
            ) from error
        warn(f"it cannot be told whether {version} is the highest published version, so it is not called so: {error}")
        return False
    return pep440.is_highest(version, others)


def _others(
    version: Version,
    tagged: Iterable[Version],
    *,
    project: str,
    naming: Naming,
    index: Index | None,
    forge: Forge | None,
) -> tuple[Version, ...]:
    """The other versions that count, by the first source that knows any."""
    held = {each: yanked for each, yanked in (index.versions(project) if index else {}).items() if each != version}
    if held:
        return tuple(each for each, yanked in held.items() if not yanked)
    public = (each for _, each in naming.known(forge.released() if forge else ()).values())
    return tuple(each for each in public if each != version) or tuple(tagged)
