"""Versions and the tags that name them (PEP 440). Pure: nothing here reads git, a file or the clock.

A release tag is an optional ``v`` and a version: ``v1.2.3``, ``1.2.3rc1``, ``v1.0.0-rc.1``. If the project has a
prefix (`unmoor.versioning.tag_scheme`), exactly that prefix comes first, and tags with other prefixes are ignored.
The whole name is validated before any other use, because a tag can contain shell code, a path or a newline.
Versions are ordered and compared by PEP 440: ``v1.0.0-rc.1`` and ``v1.0rc1`` name the same version.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from packaging.version import Version

from unmoor import advice
from unmoor.errors import Refused
from unmoor.filesystem import commands

LONGEST_TAG: Final = 128
FIRST: Final = Version("0.1.0")

_ALLOWED = re.compile(r"[0-9A-Za-z.!_+-]+")
_SHAPE = re.compile(r"v?[0-9][0-9A-Za-z.!_+-]*")
_ONE_NUMBER = re.compile(r"v?[0-9]+")

# Types of news fragments that call for a major or minor version: towncrier's defaults and other common names.
_BREAKING = frozenset({"breaking", "break", "removal", "removed", "remove", "incompatible", "backward", "major"})
_FEATURE = frozenset(
    {"feature", "features", "feat", "added", "add", "new", "enhancement", "improvement", "change", "changed"}
    | {"deprecation", "deprecated", "deprecate", "minor"}
)


def quote(text: str, limit: int = 80) -> str:
    """Quote untrusted text for a message. Escapes everything but printable ASCII, and cuts it to ``limit``."""
    kept = text if len(text) <= limit else f"{text[:limit]}…"
    return ascii(kept[:limit]) + ("…" if len(text) > limit else "")


def parse(text: str) -> Version | None:
    """Parse a version. Returns ``None`` if it is invalid, or has a ``v`` or space around it."""
    if not text.isascii() or len(text) > LONGEST_TAG or not text[:1].isdigit():
        return None
    try:
        return Version(text) if text.strip() == text else None
    except ValueError:  # InvalidVersion, or a number of thousands of digits
        return None


def version_in(text: str) -> Version | None:
    """Parse a version as files write it, with or without a leading ``v``. Returns ``None`` if it is invalid."""
    return parse(text.removeprefix("v"))


def is_other_version(text: str, version: str) -> bool:
    """Whether a text is a version, and another one, apart from the local part. Text that is no version is none."""
    said, wanted = version_in(text), version_in(version)
    return said is not None and wanted is not None and Version(said.public) != Version(wanted.public)


def read_tag(name: str, *, prefix: str = "") -> Version:
    """Return the version that a tag names, after the prefix.

    Raises `Refused`, with a specific message, if the name is not a release tag: empty, too long, unsafe, not ASCII,
    malformed, a development or local version, or without the prefix.
    """
    rest = name.removeprefix(prefix)
    problem = why_unsafe(name, more=prefix)
    version = None if problem else parse(rest.removeprefix("v")) if _SHAPE.fullmatch(rest) else None
    if not problem and not name.startswith(prefix):
        version, problem = None, f"this project's tags start with {prefix!r}"
    elif not problem and version is None:
        after = f" after {prefix!r}" if prefix else ""
        problem = f"it is not a version (PEP 440){after}, with or without a leading 'v'"
    elif version is not None:
        problem = why_unreleasable(version)
    if version is None or problem:
        raise Refused(
            f"the tag {quote(name)} cannot be released: {problem}",
            next_step=advice.TAG_WITH_VERSION(prefix=prefix),
        )
    return version


def why_unsafe(name: str, *, more: str = "") -> str:
    """Explain which unsafe content a tag has. Empty if it has none. Characters in ``more`` are allowed, too."""
    if not name:
        return "it is empty"
    if len(name) > LONGEST_TAG:
        return f"it is {len(name)} characters long, but the limit is {LONGEST_TAG}"
    if re.search(r"[\x00-\x20\x7f]", name):
        return "it contains spaces or control characters"
    foreign = sorted({char for char in name if not char.isascii()})
    if foreign:
        return "it contains non-ASCII characters: " + ", ".join(f"U+{ord(char):04X}" for char in foreign[:5])
    bad = sorted(set(_ALLOWED.sub("", name)) - set(more))
    if bad:
        return "it contains " + " ".join(bad[:8]) + ", but only letters, digits and . - _ + ! are allowed"
    return ""


def why_unreleasable(version: Version) -> str:
    """Explain why a version cannot be released. Empty if it can."""
    if version.local is not None:
        return f"{version} is a local version (+{version.local}), which public indexes refuse"
    if version.is_devrelease:
        return f"{version} is a development version (.dev), which is never released"
    return ""


def refuse_epoch(name: str, version: Version) -> None:
    """Raise `Refused` for a version with an epoch, such as ``1!2.0``: some surfaces cannot hold its files."""
    if version.epoch:
        raise Refused(
            f"the tag {quote(name)} cannot be released: its files would have the epoch {version.epoch}! in their names,"
            " and neither the files of a forge's release nor the tags of images can contain '!'",
            next_step=advice.TAG_WITHOUT_EPOCH(tag=re.sub(r"[0-9]+!", "", name)),
        )


def is_release_tag(name: str, *, prefix: str = "") -> bool:
    """Whether `read_tag` accepts the name."""
    rest = name.removeprefix(prefix)
    if len(name) > LONGEST_TAG or not name.startswith(prefix) or not _SHAPE.fullmatch(rest):
        return False
    version = parse(rest.removeprefix("v"))
    return version is not None and not why_unreleasable(version)


def release_tags(names: Iterable[str], *, prefix: str = "") -> dict[str, Version]:
    """The names that are release tags, each with its version. Other names are left out."""
    return {name: read_tag(name, prefix=prefix) for name in names if is_release_tag(name, prefix=prefix)}


def is_floating(name: str, *, prefix: str = "") -> bool:
    """Whether a tag is a single number such as ``v2``, which projects move from release to release."""
    return name.startswith(prefix) and _ONE_NUMBER.fullmatch(name.removeprefix(prefix)) is not None


def highest_final(versions: Iterable[Version]) -> Version | None:
    """The highest version that is not a prerelease; post releases are final."""
    return max((version for version in versions if not version.is_prerelease), default=None)


def is_highest(version: Version, others: Iterable[Version]) -> bool:
    """Whether ``latest`` means this version: it is final, and no other final is higher. Nothing else decides this."""
    highest = highest_final(others)
    return not version.is_prerelease and (highest is None or highest <= version)


def previous(version: Version, tags: Iterable[str], *, like: str = "v", prefix: str = "") -> str | None:
    """The tag of the release before this one, or ``None`` if there is none.

    For a final version, this is the highest lower final; for a prerelease, the highest lower release of any
    kind. Of several spellings, the most precise one wins, then the one that starts like ``like``.
    """
    lower = {
        name: each
        for name, each in release_tags(tags, prefix=prefix).items()
        if each < version and (version.is_prerelease or not each.is_prerelease)
    }
    begins = like.removeprefix(prefix)
    return max(lower, key=lambda name: (lower[name], *_rank(name.removeprefix(prefix), begins)), default=None)


def _rank(name: str, like: str) -> tuple[int, bool, str]:
    """The sort key for spellings of one version. The preferred spelling is the highest."""
    return (name.count("."), name.startswith("v") == like.startswith("v"), name)


def spellings(version: Version, tags: Iterable[str], *, prefix: str = "") -> tuple[str, ...]:
    """Every tag that names this version, sorted by name."""
    return tuple(sorted(name for name, each in release_tags(tags, prefix=prefix).items() if each == version))


def tags_at(tags: Mapping[str, str], commit: str) -> tuple[str, ...]:
    """All tags on a commit, sorted, whether they are release tags or not."""
    return tuple(sorted(name for name, target in tags.items() if target == commit))


def release_tag_at(tags: Mapping[str, str], commit: str, *, prefix: str = "") -> str | None:
    """The release tag on a commit, or ``None`` if there is none.

    Of several spellings of one version, returns the preferred one. Raises `Refused` if the tags on the commit
    name different versions.
    """
    found = release_tags(tags_at(tags, commit), prefix=prefix)
    refuse_several_versions(found, commit)
    return max(found, key=lambda name: _rank(name.removeprefix(prefix), "v"), default=None)


def refuse_several_versions(tags: Mapping[str, Version], commit: str) -> None:
    """Raise `Refused` if the tags on one commit name different versions."""
    if len(set(tags.values())) > 1:
        names = ", ".join(sorted(tags, key=lambda name: tags[name]))
        raise Refused(
            f"the tags on commit {commit[:12]} name different versions: {names}",
            next_step=advice.NAME_ONE_OF_THE_TAGS(),
        )


def refuse_twins(tag: str, version: Version, tags: Mapping[str, str], commit: str, *, prefix: str = "") -> None:
    """Raise `Refused` if another tag names the same version on another commit.

    A single number next to a longer tag (``v1`` next to ``v1.0.0``) is a moving tag, not a twin.
    """
    floats = is_floating(tag, prefix=prefix)
    for twin in spellings(version, tags, prefix=prefix):
        if twin != tag and tags[twin] != commit and (floats or not is_floating(twin, prefix=prefix)):
            raise Refused(
                f"the tags {tag} and {twin} name the same version, {version}, on different commits "
                f"({commit[:12]} and {tags[twin][:12]})",
                next_step=advice.DELETE_ONE_TAG(tag=commands.quote(tag), twin=commands.quote(twin)),
            )


def next_version(current: Version | None, kinds: Iterable[str] = ()) -> Version:
    """The next version, by the types of the news fragments.

    Breaking changes raise the major number (before 1.0 the minor one), features the minor one, and everything else
    the patch number. A prerelease is followed by its final version. The first version is 0.1.0. Numbers after the
    raised one become zero, and missing ones are not added: 26.3 is followed by 26.4 with a feature, by 26.3.1 without.
    """
    if current is None:
        return FIRST
    if current.is_prerelease:
        return Version(current.base_version)
    major = 0 if current.release[0] else 1
    decisive = deciding_kind(kinds)
    place = major if decisive in _BREAKING else 1 if decisive else 2
    parts = list(current.release) + [0] * (place + 1 - len(current.release))
    raised = [*parts[:place], parts[place] + 1, *(0 for _ in parts[place + 1 :])]
    epoch = f"{current.epoch}!" if current.epoch else ""
    return Version(epoch + ".".join(map(str, raised)))


def deciding_kind(kinds: Iterable[str]) -> str:
    """The kind of news fragments that decides the next version, in lower case; empty if only the patch number rises."""
    words = sorted({kind.lower() for kind in kinds})
    return next((word for group in (_BREAKING, _FEATURE) for word in words if word in group), "")


def tag_start(tags: Iterable[str], *, prefix: str = "") -> str:
    """How a new tag starts: the prefix, and ``v`` unless the highest release's tag has none."""
    rests = [name.removeprefix(prefix) for name in tags if name.startswith(prefix)]
    found = release_tags(name for name in rests if not is_floating(name))
    newest = max(found, key=lambda name: (found[name], name.startswith("v")), default="v")
    return f"{prefix}v" if newest.startswith("v") else prefix
