"""Write the notes of a release. `notes_for` alone decides where they come from.

It takes the first source that exists: the changelog's section for this version, towncrier's fragments, or the
commits since the previous release.

The stage for notes and the rehearsal use this package. Begin with `notes_for`, then see `changelog`, `fragments` and
`commits`: one module for each source.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from unmoor import advice
from unmoor.errors import ConfigError, Refused
from unmoor.notes import changelog, commits, fragments, markdown
from unmoor.notes.files import relative_files
from unmoor.notes.fragments import Fragments
from unmoor.notes.limit import cut
from unmoor.notes.reading import Warn, ignore_warning
from unmoor.ports.git import Git
from unmoor.ports.shell import Shell
from unmoor.products import Notes, Release
from unmoor.util.text import clean, count_of, list_some

REFUSE = "refuse"
ALLOW = "allow"
EMPTY = commits.NOTHING_ELSE


class NotesSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``changelog`` is the only file to read, empty to search for one. ``empty`` is ``refuse`` or ``allow``."""

    changelog: str = ""
    empty: str = REFUSE


def notes_for(
    checkout: Path,
    release: Release,
    git: Git,
    shell: Shell,
    settings: NotesSettings | None = None,
    *,
    warn: Warn = ignore_warning,
) -> Notes:
    """Write the notes of a release from a checkout of its commit.

    Raises `Refused` for leftover fragments next to a section, for misnamed fragments that towncrier would ignore, for
    unreadable text, and for empty notes unless they are allowed. Raises `ConfigError` for invalid settings.
    """
    settings = settings or NotesSettings()
    if settings.empty not in {REFUSE, ALLOW}:
        raise ConfigError(
            f"{clean(settings.empty)!r} is not a policy",
            where="empty-notes",
            next_step=advice.USE_ONE_OF(known=f"'{REFUSE}', '{ALLOW}'"),
        )
    text, source = _decide(checkout, release, git, shell, settings=settings, warn=warn)
    if markdown.is_empty(text):
        if settings.empty == REFUSE:
            raise Refused(
                f"the release notes are empty: {source} has no content",
                next_step=advice.DESCRIBE_CHANGES(),
            )
        warn(f"the release notes are empty ({source}): the page says {EMPTY!r}")
        text = EMPTY
    full = text.strip("\n")
    return Notes(body=cut(full), full=full, source=source)


def _decide(
    checkout: Path, release: Release, git: Git, shell: Shell, *, settings: NotesSettings, warn: Warn
) -> tuple[str, str]:
    """Return the notes, and their source as text."""
    towncrier = fragments.read_configuration(checkout)
    found = fragments.list_fragments(checkout, towncrier) if towncrier is not None else Fragments()
    files = relative_files(git.at("").files(release.commit), git.path)
    search = changelog.find_section(
        checkout, release, files=files, setting=settings.changelog, towncrier=towncrier, shell=shell, warn=warn
    )
    if search.section is not None:
        _refuse_leftovers(found, search.section.file, release.version, warn)
        return search.section.text, f"the section {release.version} of {search.section.file}"
    if towncrier is not None and found.files:
        if found.misnamed:
            warn(f"towncrier ignores {list_some(found.misnamed)}: not of a type defined in {towncrier.file}")
        text = fragments.render(checkout, release, towncrier, shell)
        return text, count_of(len(found.files), "towncrier fragment")
    if found.misnamed:
        raise Refused(
            f"these files look like fragments, but are not of a configured type: {list_some(found.misnamed)}",
            where=towncrier.file if towncrier is not None else "",
            next_step=advice.NAME_FRAGMENTS(),
        )
    text, source = commits.list_commits(release, git)
    if search.files:
        warn(f"there is no section for {release.version} in {list_some(search.files)}: the notes are {source}")
    if text == commits.NOTHING_ELSE:
        warn(f"{source} only set the version: the page says {text!r}")
    for hint in search.hints:
        warn(hint)
    return text, source


def _refuse_leftovers(found: Fragments, file: str, version: str, warn: Warn) -> None:
    """Refuse fragments next to a section. The release is only half prepared, and one of the two would be lost."""
    if found.files:
        raise Refused(
            f"there is a section for {version}, but fragments are left over: {list_some(found.files)}",
            where=file,
            next_step=advice.BUILD_CHANGELOG(),
        )
    if found.misnamed:
        warn(f"these files look like fragments, but are not of a configured type: {list_some(found.misnamed)}")
