"""Write release notes from towncrier's fragments, if the tag was made before ``towncrier build``.

towncrier has no public Python API, so it runs as documented: ``build --draft`` writes the notes to standard
output. This relies on one internal, that it renders with `jinja2.Template` (see ``_LAUNCHER``), so pyproject.toml
excludes next year's versions. This module reads towncrier's documented configuration only to learn which files are
fragments, because towncrier writes "No significant changes" if there are none, and silently ignores those with a
misspelt type.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from unmoor import advice
from unmoor.errors import ConfigError, Refused
from unmoor.notes import markdown, myst, rst
from unmoor.notes.headings import version_named
from unmoor.notes.reading import LIMIT, display_path, read, resolve_inside, strip_controls
from unmoor.ports import child
from unmoor.ports.shell import Ran, Shell
from unmoor.products import Release
from unmoor.util.decode import decode_toml
from unmoor.util.text import clean
from unmoor.versioning.fragment_names import (
    folders_of,
    ignored_of,
    is_fragment,
    is_ignored,
    kinds_of,
    looks_like_fragment,
)

# Each is any text in a file's name, so more of them would take too long to match.
_FILE_NAME_FIELDS = ("name", "version", "project_date")

# towncrier renders the project's template with jinja2, which lets a template run any Python code. Credentials may be
# present here, so the template runs in jinja2's sandbox. A test checks this.
_LAUNCHER = """
import jinja2, runpy
from jinja2.sandbox import SandboxedEnvironment
jinja2.Template.environment_class = SandboxedEnvironment
runpy.run_module("towncrier", run_name="__main__", alter_sys=True)
"""
# Without git: the caller stages what has changed.
_BUILDER = f"""
import os
from towncrier import _vcs
_vcs.stage_newsfile = lambda *_: None
_vcs.remove_files = lambda _, names: [os.remove(name) for name in names]
{_LAUNCHER}"""


class Towncrier(msgspec.Struct, frozen=True, kw_only=True):
    """A project's towncrier configuration.

    ``file`` is the name of the configuration file, and ``filename`` the changelog's (``None`` if it is not set).
    ``folders`` contain the fragments, ``kinds`` are their types, and ``ignored`` holds lower-case name patterns.
    """

    file: str
    name: str
    filename: str | None
    single_file: bool
    is_markdown: bool
    folders: tuple[Path, ...]
    kinds: frozenset[str]
    ignored: tuple[str, ...]


class Fragments(msgspec.Struct, frozen=True, kw_only=True):
    """A project's fragments, and ``misnamed`` files: named like a fragment, but not of a configured type."""

    files: tuple[str, ...] = ()
    misnamed: tuple[str, ...] = ()


def read_configuration(checkout: Path) -> Towncrier | None:
    """Read towncrier's configuration at the top of the checkout. Returns ``None`` if there is none.

    ``towncrier.toml`` takes precedence over pyproject.toml. Folders above the checkout are not searched. Raises
    `ConfigError` for an invalid configuration.
    """
    project = _toml(checkout, "pyproject.toml")
    own = _toml(checkout, "towncrier.toml")
    tables = own if own is not None else project
    file = "towncrier.toml" if own is not None else "pyproject.toml"
    table = _table(tables or {}, "tool", "towncrier")
    if own is None and table is None:
        return None
    names = _table(project or {}, "project") or {}
    try:
        return _parse_configuration(checkout, file, table or {}, str(names.get("name", "")))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"towncrier's configuration is invalid: {clean(repr(error))}",
            where=file,
            next_step=advice.CHECK_TOWNCRIER(),
        ) from error


def list_fragments(checkout: Path, towncrier: Towncrier) -> Fragments:
    """List the fragments of a checkout. Raises `Refused` for one that links out of the repository."""
    files: list[str] = []
    misnamed: list[str] = []
    for folder in towncrier.folders:
        if not resolve_inside(checkout, folder).is_dir():
            continue
        for path in sorted(folder.iterdir(), key=lambda each: each.name):
            name = path.name
            if is_ignored(name, towncrier.ignored):
                continue
            if is_fragment(name, towncrier.kinds):
                resolve_inside(checkout, path)
                files.append(display_path(checkout, path))
            elif path.is_file() and looks_like_fragment(name):
                misnamed.append(display_path(checkout, path))
    return Fragments(files=tuple(files), misnamed=tuple(misnamed))


def render(checkout: Path, release: Release, towncrier: Towncrier, shell: Shell) -> str:
    """Have towncrier write the notes. Returns Markdown without the heading that names the version.

    Raises `Refused` with towncrier's message if it fails.
    """
    text = _draft(checkout, release, towncrier, shell)
    names = (release.project, towncrier.name)
    headings = markdown.read(text).headings if towncrier.is_markdown else rst.headings(text)
    title = next(
        (
            heading
            for heading in headings
            if (name := version_named(heading.text, names)) and str(name.version) == release.version
        ),
        None,
    )
    lines = text.split("\n")
    if title is not None:
        lines = lines[: title.line] + lines[title.body :]
    body = "\n".join(lines).strip("\n")

    def convert(source: str) -> str:
        return rst.to_markdown(source, shell, where="the fragments")

    return myst.to_markdown(body, convert) if towncrier.is_markdown else convert(body)


def build(checkout: Path, towncrier: Towncrier, shell: Shell, *, version: str, day: str, project: str) -> None:
    """Have towncrier write the section of a version into the changelog of a checkout, and remove the fragments.

    ``day`` is in ISO 8601. Stages nothing. Raises `Refused` with towncrier's message if it fails.
    """
    args = ["build", "--yes", f"--version={version}", f"--date={day}"]
    _run(_BUILDER, args, checkout, towncrier, shell, project=project)


def fragment_kinds(checkout: Path) -> tuple[str, ...]:
    """Return the kinds of the news fragments in a checkout. Raises as `read_configuration` does."""
    towncrier = read_configuration(checkout)
    if towncrier is None:
        return ()
    names = (Path(path).name for path in list_fragments(checkout, towncrier).files)
    found = (next((part for part in name.split(".")[1:] if part in towncrier.kinds), "") for name in names)
    return tuple(kind for kind in found if kind)


def _draft(checkout: Path, release: Release, towncrier: Towncrier, shell: Shell) -> str:
    date = datetime.fromtimestamp(release.date, UTC).date().isoformat()
    args = ["build", "--draft", f"--version={release.version}", f"--date={date}"]
    ran = _run(_LAUNCHER, args, checkout, towncrier, shell, project=release.project)
    if len(ran.out.encode()) >= LIMIT:
        raise Refused(
            f"the fragments result in more than {LIMIT // 1_000_000} MB of notes",
            where=towncrier.file,
            next_step=advice.SHORTEN_FRAGMENT(),
        )
    return strip_controls(ran.out)


def _run(
    launcher: str, args: Sequence[str], checkout: Path, towncrier: Towncrier, shell: Shell, *, project: str
) -> Ran:
    # --name, because towncrier would otherwise import the project to find it. --dir without --config: towncrier stops
    # searching at a configuration in that folder, and --config would turn off its defaults from [project].
    options = [f"--name={towncrier.name or project}", f"--dir={checkout}"]
    try:
        ran = child.run(shell, launcher, [*args, *options], cwd=checkout)
    except child.BeyondLimits as error:
        raise _not_rendered(str(error), towncrier) from error
    if ran.code != 0:
        raise _not_rendered(_reason(ran.err), towncrier)
    return ran


def _not_rendered(reason: str, towncrier: Towncrier) -> Refused:
    return Refused(
        f"towncrier cannot render the fragments: {reason}",
        where=towncrier.file,
        next_step=advice.CHECK_TOWNCRIER(),
    )


def _reason(err: str) -> str:
    """The reason that towncrier gives for a failure: its whole error message, or the last line of a traceback."""
    message = re.search(r"^Error: (.*)", err, re.MULTILINE | re.DOTALL)
    return clean(message[1] if message else err.strip().rpartition("\n")[2])


def _parse_configuration(checkout: Path, file: str, table: dict[str, Any], project: str) -> Towncrier:
    filename = table.get("filename")
    package = table.get("package") or project
    template = str(table.get("template", "towncrier:default"))
    library, colon, _ = template.partition(":")
    if colon and library != "towncrier":
        raise ConfigError(
            f"the template {clean(template)} is in a package, but a release runs no code of other packages",
            where=file,
            next_step=advice.SET_TEMPLATE(),
        )
    if not colon:
        resolve_inside(checkout, checkout / template)
    fields = _fields(str(filename or ""))
    if len(fields) > len(_FILE_NAME_FIELDS):
        raise ConfigError(
            f"the setting 'filename' has more than {len(_FILE_NAME_FIELDS)} fields",
            where=file,
            next_step=advice.USE_EACH_FIELD_ONCE(fields=", ".join(f"{{{name}}}" for name in _FILE_NAME_FIELDS)),
        )
    suffix = Path(filename or "NEWS.rst").suffix.lower()
    return Towncrier(
        file=file,
        name=str(table.get("name") or ""),
        filename=str(filename) if filename else None,
        single_file=table.get("single_file", True) is not False or "version" not in fields,
        is_markdown=suffix in {".md", ".markdown"} or Path(template).suffix.lower() == ".md",
        folders=tuple(_folders(checkout, table, str(package))),
        kinds=kinds_of(table),
        ignored=ignored_of(table),
    )


def _fields(pattern: str) -> tuple[str, ...]:
    """The field names in a format string. Raises ``ValueError`` if it is malformed."""
    return tuple(field for _, field, _, _ in string.Formatter().parse(pattern) if field)


def _folders(checkout: Path, table: dict[str, Any], package: str) -> Iterator[Path]:
    """The folders with fragments, one for each section. Raises `Refused` for one outside the repository."""
    for path in folders_of(table, package):
        folder = checkout / path
        resolve_inside(checkout, folder)
        yield folder


def _toml(checkout: Path, name: str) -> dict[str, Any] | None:
    if not (checkout / name).is_file():
        return None
    try:
        return decode_toml(read(checkout, checkout / name))
    except ValueError as error:
        raise ConfigError(
            f"this is not TOML: {clean(str(error))}", where=name, next_step=advice.CORRECT_AND_TAG()
        ) from error


def _table(tables: dict[str, Any], *keys: str) -> dict[str, Any] | None:
    for key in keys:
        found = tables.get(key)
        if not isinstance(found, dict):
            return None
        tables = found
    return tables
