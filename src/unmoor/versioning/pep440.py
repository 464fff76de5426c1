"""Versions and the tags that name them (PEP 440). Pure: nothing here reads git, a file or the clock.

A release's tag is ``v?`` and a version: ``v1.2.3``, ``1.2.3rc1``, ``v1.0.0-rc.1``; where a project has a
prefix (`unmoor.versioning.tag_scheme`) that stands before it, exactly. Tags of another prefix are not seen. The whole
name is matched before anything else is done with it, since a tag can hold shell code, a path or a newline.
Order and sameness are PEP 440's everywhere: ``v1.0.0-rc.1`` and ``v1.0rc1`` name one version.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from packaging.version import InvalidVersion, Version

from unmoor.errors import Refused

LONGEST_TAG: Final = 128
FIRST: Final = Version("0.1.0")

_ALLOWED = re.compile(r"[0-9A-Za-z.!_+-]+")
_SHAPE = re.compile(r"v?[0-9][0-9A-Za-z.!_+-]*")
_ONE_NUMBER = re.compile(r"v?[0-9]+")

# What projects call their news fragments: the defaults of towncrier and the common other words.
_BREAKING = frozenset({"breaking", "break", "removal", "removed", "remove", "incompatible", "backward", "major"})
_FEATURE = frozenset(
    {"feature", "features", "feat", "added", "add", "new", "enhancement", "improvement", "change", "changed"}
    | {"deprecation", "deprecated", "deprecate", "minor"}
)


def quote(text: str, limit: int = 80) -> str:
    """Quote text from outside for a message: escapes for everything but printable ASCII, cut at a length."""
    kept = text if len(text) <= limit else f"{text[:limit]}…"
    return ascii(kept[:limit]) + ("…" if len(text) > limit else "")


def parse(text: str) -> Version | None:
    """Read a version, ``None`` where the text is none. Leading and trailing space, or a ``v``, is none."""
    if not text.isascii() or len(text) > LONGEST_TAG or not text[:1].isdigit():
        return None
    try:
        return Version(text) if text.strip() == text else None
    except InvalidVersion:
        return None


def version_in(text: str) -> Version | None:
    """Read a version as a file writes it, with a leading ``v`` or without; ``None`` where it is none."""
    return parse(text.removeprefix("v"))


def read_tag(name: str, *, prefix: str = "") -> Version:
    """Read the version that a tag names, after the prefix.

    Raises `Refused`, with a message of its own for each kind of badness, where the name is not a
    release's tag: empty, too long, hostile, outside ASCII, malformed, a dev or a local version, or
    without the prefix.
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
        problem = _why_unreleasable(version)
    if version is None or problem:
        raise Refused(
            f"the tag {quote(name)} cannot be released: {problem}",
            next_step=f"tag the commit with a name such as {prefix}v1.2.3 or {prefix}v1.2.3rc1, and release that",
        )
    return version


def why_unsafe(name: str, *, more: str = "") -> str:
    """Say what no tag of a release may hold, the empty text where there is nothing. ``more`` may stand in it, too."""
    if not name:
        return "it is empty"
    if len(name) > LONGEST_TAG:
        return f"it is {len(name)} characters long, and {LONGEST_TAG} is the most"
    if re.search(r"[\x00-\x20\x7f]", name):
        return "it holds spaces or control characters"
    foreign = sorted({char for char in name if not char.isascii()})
    if foreign:
        return "it holds characters outside ASCII: " + ", ".join(f"U+{ord(char):04X}" for char in foreign[:5])
    bad = sorted(set(_ALLOWED.sub("", name)) - set(more))
    if bad:
        return "it holds " + " ".join(bad[:8]) + ", and only letters, digits and . - _ + ! may stand in one"
    return ""


def _why_unreleasable(version: Version) -> str:
    """Say why a version is never released, the empty text where it may be."""
    if version.local is not None:
        return f"{version} is a local version (+{version.local}), which no public index takes"
    if version.is_devrelease:
        return f"{version} is a development version (.dev), which is never released"
    return ""


def is_release_tag(name: str, *, prefix: str = "") -> bool:
    """Whether `read_tag` would take the name."""
    rest = name.removeprefix(prefix)
    if len(name) > LONGEST_TAG or not name.startswith(prefix) or not _SHAPE.fullmatch(rest):
        return False
    version = parse(rest.removeprefix("v"))
    return version is not None and not _why_unreleasable(version)


def release_tags(names: Iterable[str], *, prefix: str = "") -> dict[str, Version]:
    """The names that are tags of releases, each with its version; the others are left out."""
    return {name: read_tag(name, prefix=prefix) for name in names if is_release_tag(name, prefix=prefix)}


def is_floating(name: str, *, prefix: str = "") -> bool:
    """Whether this is a single number, such as ``v2``: a tag that projects move from release to release."""
    return name.startswith(prefix) and _ONE_NUMBER.fullmatch(name.removeprefix(prefix)) is not None


def highest_final(versions: Iterable[Version]) -> Version | None:
    """The highest version that is not a prerelease; post releases are final."""
    return max((version for version in versions if not version.is_prerelease), default=None)


def is_highest(version: Version, others: Iterable[Version]) -> bool:
    """Whether a version is what ``latest`` means: final, and no other final is higher. The one place that decides."""
    highest = highest_final(others)
    return not version.is_prerelease and (highest is None or highest <= version)


def previous(version: Version, tags: Iterable[str], *, like: str = "v", prefix: str = "") -> str | None:
    """The tag of the release before this one, ``None`` where there is none.

    For a final it is the highest lower final, for a prerelease the highest lower release of any
    kind. Of several spellings the most exact one counts, then the one that starts as ``like`` does.
    """
    lower = {
        name: each
        for name, each in release_tags(tags, prefix=prefix).items()
        if each < version and (version.is_prerelease or not each.is_prerelease)
    }
    begins = like.removeprefix(prefix)
    return max(lower, key=lambda name: (lower[name], *_rank(name.removeprefix(prefix), begins)), default=None)


def _rank(name: str, like: str) -> tuple[int, bool, str]:
    """Order the spellings of one version: the better one is higher."""
    return (name.count("."), name.startswith("v") == like.startswith("v"), name)


def spellings(version: Version, tags: Iterable[str], *, prefix: str = "") -> tuple[str, ...]:
    """Every tag that names this very version, sorted by name."""
    return tuple(sorted(name for name, each in release_tags(tags, prefix=prefix).items() if each == version))


def tags_at(tags: Mapping[str, str], commit: str) -> tuple[str, ...]:
    """The names that stand on a commit, sorted; of whatever sort."""
    return tuple(sorted(name for name, target in tags.items() if target == commit))


def release_tag_at(tags: Mapping[str, str], commit: str, *, prefix: str = "") -> str | None:
    """The one release's tag on a commit, ``None`` where there is none.

    Of several spellings of one version the best one. Raises `Refused` where tags on the commit
    name different versions.
    """
    found = release_tags(tags_at(tags, commit), prefix=prefix)
    refuse_several_versions(found, commit)
    return max(found, key=lambda name: _rank(name.removeprefix(prefix), "v"), default=None)


def refuse_several_versions(tags: Mapping[str, Version], commit: str) -> None:
    """Raise `Refused` where the tags on one commit name different versions."""
    if len(set(tags.values())) > 1:
        names = ", ".join(sorted(tags, key=lambda name: tags[name]))
        raise Refused(
            f"the tags on commit {commit[:12]} name different versions: {names}",
            next_step="name the tag that is meant on the command line",
        )


def refuse_twins(tag: str, version: Version, tags: Mapping[str, str], commit: str, *, prefix: str = "") -> None:
    """Raise `Refused` where another tag names the same version on another commit.

    A single number beside a longer tag (``v1`` beside ``v1.0.0``) is a tag that moves, and no twin.
    """
    floats = is_floating(tag, prefix=prefix)
    for twin in spellings(version, tags, prefix=prefix):
        if twin != tag and tags[twin] != commit and (floats or not is_floating(twin, prefix=prefix)):
            raise Refused(
                f"the tags {tag} and {twin} name one version, {version}, on different commits "
                f"({commit[:12]} and {tags[twin][:12]})",
                next_step=f"delete the wrong one, here and on the remote: git tag -d {tag}, or git tag -d {twin}",
            )


def next_version(current: Version | None, kinds: Iterable[str] = ()) -> Version:
    """The version that would come next: by the kinds of the news fragments, else the next patch.

    Breaking kinds raise the major number (the minor one before 1.0), features the minor one,
    everything else the patch. After a prerelease comes its final; after nothing, 0.1.0. The
    number of parts is kept: after 26.3 comes 26.4 with a feature, 26.3.1 without.
    """
    if current is None:
        return FIRST
    if current.is_prerelease:
        return Version(current.base_version)
    words = {kind.lower() for kind in kinds}
    major = 0 if current.release[0] else 1
    place = major if words & _BREAKING else 1 if words & _FEATURE else 2
    parts = list(current.release) + [0] * (place + 1 - len(current.release))
    raised = [*parts[:place], parts[place] + 1, *(0 for _ in parts[place + 1 :])]
    epoch = f"{current.epoch}!" if current.epoch else ""
    return Version(epoch + ".".join(map(str, raised)))


def tag_start(tags: Iterable[str], *, prefix: str = "") -> str:
    """What a new tag starts with here: the prefix, and ``v`` unless the highest release's tag has none."""
    rests = [name.removeprefix(prefix) for name in tags if name.startswith(prefix)]
    found = release_tags(name for name in rests if not is_floating(name))
    newest = max(found, key=lambda name: (found[name], name.startswith("v")), default="v")
    return f"{prefix}v" if newest.startswith("v") else prefix
