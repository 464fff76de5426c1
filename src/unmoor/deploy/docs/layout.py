"""What a deployment changes on a branch of pages. Pure: nothing here reads git or a file.

Each version has a folder of its own, named like it, that never gets other pages afterwards. ``stable`` is the same tree
as the highest final version. ``versions.json`` lists the versions for the menus of themes, in the form that mike writes
and themes read. Whatever else is on the branch stays.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from unmoor import advice
from unmoor.deploy.docs.objects import object_id
from unmoor.errors import Conflict, Refused
from unmoor.ports.pages import FILE, TREE, BranchEntry, FormerPages, PagesChange, PagesState
from unmoor.util.decode import decode_json
from unmoor.util.text import clean
from unmoor.versioning import pep440

STABLE: Final = "stable"
"""The folder of the highest final version."""
VERSIONS: Final = "versions.json"
"""The list of versions."""
INDEX: Final = "index.html"
NO_JEKYLL: Final = ".nojekyll"
CUSTOM: Final = "CNAME"
"""The file with a domain of the user's own."""
MARKER: Final = "Unmoor-Docs"
"""The trailer of a commit: the folder that it filled, and the id of its tree."""
_ALIAS = re.compile(r"[a-z][a-z0-9-]{0,39}")
_RESERVED = frozenset({STABLE})


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Pages, and where they belong: the id of their tree, and the folder, which is a version or a name such as ``dev``.

    ``stable``: they are those of the highest final version. ``replaces``: other pages in that folder give way.
    """

    folder: str
    tree: str
    stable: bool = False
    replaces: bool = False

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that get this tree."""
        return (self.folder, STABLE) if self.stable else (self.folder,)


def require_alias(name: str) -> None:
    """Check the name of a folder for pages of no version. Raises `Refused`."""
    if _ALIAS.fullmatch(name) is None or name in _RESERVED or pep440.parse(name) is not None:
        raise Refused(
            f"{pep440.quote(name)} cannot be the name of such pages: use a-z, 0-9 and '-', and no name of a version"
            f" nor {STABLE}",
            next_step=advice.NAME_DOCS_FOLDER(),
        )


def is_placed(state: PagesState, placement: Placement) -> bool:
    """Whether the branch holds these pages in each of their folders.

    Raises `Conflict`, with both ids, if the folder of a version holds other pages.
    """
    there = state.entries.get(placement.folder)
    if there is not None and not placement.replaces and there != BranchEntry(mode=TREE, id=placement.tree):
        raise Conflict(
            f"{placement.folder}/ holds other pages: it is tree {there.id}, and the pages of this release are tree"
            f" {placement.tree}",
            next_step=advice.REMOVE_OTHER_DOCS(folder=placement.folder),
            retryable=True,
        )
    return all(state.tree(folder) == placement.tree for folder in placement.folders)


def require_plain(state: PagesState, names: Iterable[str]) -> None:
    """Check that nothing that is to be written is a link or another repository. Raises `Refused`."""
    for name in names:
        entry = state.entries.get(name)
        if entry is not None and entry.mode not in {FILE, TREE, "100755"}:
            what = "a symbolic link" if entry.mode == "120000" else "a submodule"
            raise Refused(
                f"{name} on the branch is {what}",
                next_step=advice.REPLACE_LINK_ON_BRANCH(name=name),
                retryable=True,
            )


def change_for(state: PagesState, placement: Placement, versions: bytes | None, *, title: str) -> PagesChange:
    """What puts pages into their folders. ``versions`` is the present `VERSIONS`, and ``title`` names the release.

    Raises `Refused` if the branch has a link there, or a list of versions that is none.
    """
    require_plain(state, (*placement.folders, VERSIONS, INDEX, NO_JEKYLL))
    folders = dict.fromkeys(placement.folders, placement.tree)
    message = f"Deploy the documentation of {title}\n\n{MARKER}: {placement.folder} {placement.tree}\n"
    return _with_files(state, folders, versions, message)


def change_back(state: PagesState, former: FormerPages, tree: str, versions: bytes | None) -> PagesChange | None:
    """What takes pages back: each folder that still holds them gets what it held before. ``None`` if none does."""
    names = [name for name in dict.fromkeys((former.folder, STABLE)) if state.tree(name) == tree]
    if not names:
        return None
    require_plain(state, (*names, VERSIONS, INDEX))
    folders = {name: former.before.tree(name) for name in names}
    if folders.get(STABLE) == tree:
        folders[STABLE] = ""
    message = f"Take back the documentation of {former.folder}\n"
    return _with_files(state, folders, versions, message)


def _with_files(state: PagesState, folders: Mapping[str, str], versions: bytes | None, message: str) -> PagesChange:
    trees = {name: entry.id for name, entry in state.entries.items() if entry.mode == TREE} | dict(folders)
    trees = {name: tree for name, tree in trees.items() if tree}
    files: dict[str, bytes | None] = {VERSIONS: listed(trees, versions)}
    if NO_JEKYLL not in state.entries:
        files[NO_JEKYLL] = b""
    start = _start(trees)
    index = state.entries.get(INDEX)
    if index is None or _is_redirect(index, [*trees, *folders], state.commit):
        files[INDEX] = redirect(start) if start else None
    return PagesChange(message=message, folders=folders, files=files)


def _start(trees: Mapping[str, str]) -> str:
    """The folder to which the top of the branch leads; empty if there is none."""
    if STABLE in trees:
        return STABLE
    return next(iter(_in_order(trees)), "")


def _in_order(names: Iterable[str]) -> list[str]:
    """The folders that are versions, the highest first, and then ``dev`` if there is one."""
    every = list(names)
    found = {name: version for name in every if (version := pep440.parse(name)) is not None}
    return [*sorted(found, key=lambda name: found[name], reverse=True), *(name for name in every if name == "dev")]


def redirect(folder: str) -> bytes:
    """A page that leads to a folder beside it."""
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Redirecting</title>\n'
        f'<meta http-equiv="refresh" content="0; url={folder}/">\n<link rel="canonical" href="{folder}/">\n'
        f'<a href="{folder}/">{folder}</a>\n</html>\n'
    ).encode()


def _is_redirect(index: BranchEntry, folders: Iterable[str], like: str) -> bool:
    """Whether a page at the top is one of ours."""
    known = {STABLE, "dev", *(name for name in folders if pep440.parse(name) is not None)}
    return index.mode == FILE and index.id in {object_id("blob", redirect(name), like=like) for name in known}


def listed(trees: Mapping[str, str], versions: bytes | None) -> bytes:
    """The list of the versions that have a folder, the highest first, and of ``dev``.

    Keeps what the present list says of each, and every other name on it that has a folder. Raises `Refused` if that is
    no list of versions.
    """
    known = {str(each.get("version")): each for each in _read(versions)}
    stable = trees.get(STABLE, "")
    names = dict.fromkeys([*_in_order(trees), *(name for name in known if name in trees and name != STABLE)])
    entries = []
    first = True
    for name in names:
        entry: dict[str, Any] = {"version": name, "title": name, **known.get(name, {})}
        aliases = [each for each in entry.get("aliases") or [] if isinstance(each, str) and each != STABLE]
        is_stable = first and bool(stable) and trees.get(name) == stable
        first = first and not is_stable
        entry["aliases"] = [STABLE, *aliases] if is_stable else aliases
        entries.append(entry)
    return json.dumps(entries, indent=2, ensure_ascii=True).encode() + b"\n"


def _read(versions: bytes | None) -> list[dict[str, Any]]:
    if versions is None or not versions.strip():
        return []
    try:
        return decode_json(versions, list[dict[str, Any]])
    except ValueError as error:
        raise Refused(
            f"{VERSIONS} on the branch is no list of versions: {clean(str(error))}",
            next_step=advice.CORRECT_VERSIONS_FILE(),
            retryable=True,
        ) from error
