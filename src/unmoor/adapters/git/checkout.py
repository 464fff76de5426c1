"""A checkout, read and cloned with the git program.

Not dulwich or pygit2: only git itself honors all of the user's credential helpers, ssh settings and
safe directories.

This module is long because it answers every question of the port about a checkout.
"""

from __future__ import annotations

import copy
import math
import os
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from unmoor import advice
from unmoor.adapters.git.changes import changed_files
from unmoor.adapters.git.clone import check_out, clone_of, write_tags
from unmoor.adapters.git.history import deleted
from unmoor.adapters.git.objects import BlobTooLargeError, blob, executables, item, listing, paths, texts
from unmoor.adapters.git.present_files import StagedFiles, WorkTreeFiles, named_index
from unmoor.adapters.git.program import GitProgram, without_login
from unmoor.adapters.git.remote import default_branch, default_head, ls_remote, on_a_branch
from unmoor.adapters.git.signatures import signer
from unmoor.errors import Cause, Refused, Unknown
from unmoor.filesystem.commands import quote
from unmoor.ports.failure import failure
from unmoor.ports.git import Commit
from unmoor.ports.repository_files import RepositoryFiles
from unmoor.ports.shell import Shell
from unmoor.util.digests import is_commit
from unmoor.util.text import clean
from unmoor.util.values import replace

LARGEST_FILE: Final = 10_000_000
_LINKS_FOLLOWED = 5
_LONGEST_POINTER = 5_000
_REMOTE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
# What a ref name must not contain (git-check-ref-format), and what git parses as a revision expression.
_NO_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-./]|[./]$|\.lock$|/\.|^@?$")


class _Tag(NamedTuple):
    """The object that a tag names, and the commit it peels to."""

    object: str
    commit: str


class GitCheckout:
    """The repository that contains a folder, and its remote: a name, a path or an address.

    ``path`` is the folder that file paths are relative to, written from the top of the repository with slashes.
    The content of a commit is cached; nothing that can change is. Every call raises `Refused` if the folder is not in
    a repository that git agrees to work in, `Unknown` if git fails or takes too long, and `ToolMissing` if there is
    no git.
    """

    def __init__(
        self,
        folder: Path,
        shell: Shell,
        remote: str = "origin",
        *,
        path: str = "",
        environ: Mapping[str, str] | None = None,
        timeout: float = 60.0,
        patience: float = math.inf,
    ) -> None:
        if not remote or remote.startswith("-") or not remote.isprintable():
            raise Refused(
                f"{clean(remote)!r} is neither the name nor the address of a remote",
                next_step=advice.NAME_A_REMOTE(),
            )
        self._start = folder
        self._present: RepositoryFiles | None = None
        self._remote = remote
        self.path = path
        environ = os.environ if environ is None else environ
        self.git = GitProgram(shell=shell, environ=environ, timeout=timeout, patience=patience)

    def at(self, path: str) -> GitCheckout:
        """The same checkout with file paths relative to another folder; see `unmoor.ports.git.Git`."""
        other = copy.copy(self)  # keeps the cached location of the repository
        other.path = path
        return other

    @cached_property
    def _locations(self) -> tuple[Path, Path]:
        """The top folder of the checkout, and the git directory."""
        if not self._start.is_dir():
            raise Refused("there is no such folder", where=str(self._start), next_step=advice.NAME_A_CHECKOUT())
        ran = self.git.run("rev-parse", "--show-toplevel", "--absolute-git-dir", cwd=self._start)
        top, _, git_dir = ran.out.removesuffix("\n").partition("\n")
        if not git_dir or "\n" in git_dir:
            raise Unknown(
                "git does not report the location of the repository",
                where=str(self._start),
                next_step=advice.MOVE_CHECKOUT(),
                retryable=False,
            )
        if not _belongs_to(Path(top), Path(git_dir)):
            raise Refused(
                f"the configuration of this repository says that its files are in {clean(top)}",
                where=str(self._start),
                next_step=advice.UNSET_WORKTREE(),
            )
        return Path(top), Path(git_dir)

    @property
    def folder(self) -> Path:
        """The top folder of the checkout."""
        return self._locations[0]

    def shallow(self) -> bool:
        """Whether the checkout is a shallow clone, without the full history."""
        return self._line("rev-parse", "--is-shallow-repository") == "true"

    def changed(self) -> tuple[str, ...]:
        """Tracked files that differ from HEAD in more than line ends, staged or not, sorted."""
        return changed_files(self.git, self.folder)

    def head(self) -> str | None:
        """The checked out commit, ``None`` in an empty repository."""
        return self._line("rev-parse", "--verify", "--quiet", "HEAD^{commit}", fine=(0, 1)) or None

    def commit_of(self, ref: str) -> str | None:
        """The commit of a tag or a full commit id; see `unmoor.ports.git.Git`. Raises `Refused` for an invalid name."""
        if is_commit(ref):
            return self._line("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", fine=(0, 1)) or None
        if _NO_REF.search(ref):
            raise Refused(f"{ref[:80]!a} is not a valid name for a git tag", next_step=advice.NAME_A_TAG())
        return self._tags_under(f"refs/tags/{ref}").get(ref)

    def date_of(self, commit: str) -> int:
        """The committer's time, in seconds since 1970."""
        seconds = self._line("log", "-1", "--no-decorate", "--format=%ct", _checked(commit), "--")
        if not seconds.isdecimal():
            raise Unknown(
                f"git reports no time for commit {commit[:12]}",
                next_step=advice.CHECK_COMMIT_TIME(),
                retryable=False,
            )
        return int(seconds)

    def tags(self) -> Mapping[str, str]:
        """Every local tag, with the commit it peels to. Leaves out tags of trees and blobs."""
        return self._tags_under("refs/tags")

    def _tags_under(self, pattern: str) -> dict[str, str]:
        return {name: each.commit for name, each in self._tag_objects(pattern)}

    def _tag_objects(self, pattern: str = "refs/tags") -> Iterator[tuple[str, _Tag]]:
        """Yield the name of every local tag of a commit, with its object and its commit."""
        fields = "%(refname)%00%(objectname)%00%(objecttype)%00%(*objectname)%00%(*objecttype)"
        for line in self._run("for-each-ref", f"--format={fields}", pattern).split("\n"):
            if not line:
                continue
            ref, named, kind, inner, inner_kind = line.split("\0")
            target = named
            if kind == "tag":
                target, kind = inner, inner_kind
            if kind == "tag":  # a tag of a tag: git before 2.45 peels only once
                target = self._line("rev-parse", "--verify", "--quiet", f"{target}^{{commit}}", fine=(0, 1))
                kind = "commit" if target else ""
            if kind == "commit":
                yield ref.removeprefix("refs/tags/"), _Tag(named, target)

    def tag_times(self) -> Mapping[str, int]:
        """When every local tag was made; see `unmoor.ports.git.Git`. Leaves out tags without a time."""
        out = self._run("for-each-ref", "--format=%(creatordate:unix) %(refname)", "refs/tags")
        lines = (line.split(" ", 1) for line in out.split("\n") if line)
        return {ref.removeprefix("refs/tags/"): int(time) for time, ref in lines if time.isdecimal()}

    def tag_objects(self) -> Mapping[str, str]:
        """Every local tag of a commit, with the object it names: the commit, or the annotation."""
        return {name: each.object for name, each in self._tag_objects()}

    def remote(self) -> str | None:
        """The address of the remote, without credentials; ``None`` if there is no remote."""
        if re.match(r"/|[a-z+]+://", self._remote):  # never the name of a remote: "refs/remotes//…" is no valid ref
            return without_login(self._remote)
        ran = self.git.run("remote", "get-url", "--", self._remote, cwd=self.folder, fine=(0, 2))
        if ran.code == 0:
            return without_login(ran.out.strip())
        return without_login(self._remote) if re.search(r"[/:]", self._remote) else None

    def written_remote(self) -> str | None:
        """The address of the remote as the checkout has it, before the user's ``url.*.insteadOf`` replaces a part."""
        written = ""
        if _REMOTE_NAME.fullmatch(self._remote):
            urls = self._line("config", "--get-all", f"remote.{self._remote}.url", fine=(0, 1)).splitlines()
            written = next(filter(None, urls), "")
        return without_login(written) if written else self.remote()

    def remote_tags(self) -> Mapping[str, str]:
        """Every tag of the remote, peeled, in a second try if one fails; see `unmoor.ports.git.Git`."""
        try:
            return self._remote_tags()
        except Unknown as error:
            if error.cause not in {Cause.LOST, Cause.NONSENSE}:
                raise
        return self._remote_tags()

    def _remote_tags(self) -> Mapping[str, str]:
        address = self.remote()
        if address is None:
            raise Unknown(
                f"the checkout has no remote named {clean(self._remote)}, so its tags cannot be read",
                where=str(self.folder),
                next_step=advice.ADD_REMOTE(remote=quote(clean(self._remote))),
            )
        out = ls_remote(self.git, self.folder, self._remote, "--tags")
        direct: dict[str, str] = {}
        peeled: dict[str, str] = {}
        for line in filter(None, out.split("\n")):
            target, tab, ref = line.partition("\t")
            if not tab or not is_commit(target) or not ref.startswith("refs/tags/"):
                raise failure(
                    Cause.NONSENSE,
                    f"the remote's answer is not a list of tags: {clean(line, 80)!r}",
                    where=address,
                    next_step=advice.CHECK_REMOTE_TAGS(),
                )
            name = ref.removeprefix("refs/tags/")
            (peeled if name.endswith("^{}") else direct)[name.removesuffix("^{}")] = target
        return direct | peeled

    def default_head(self) -> str | None:
        """The last commit of the remote's default branch; see `unmoor.ports.git.Git`."""
        if self.remote() is None:
            return self.head()
        return default_head(self.git, self.folder, self._remote, commit_of=self.commit_of)

    def work_tree_files(self) -> WorkTreeFiles:
        """The files of the work tree as they are now."""
        return WorkTreeFiles(git=self.git, top=self.folder, remote=self._remote)

    def staged_files(self) -> StagedFiles:
        """The files of the index; in a hook, those of the index that git names to it."""
        file = named_index(self.git.environ, *self._locations)
        return StagedFiles(git=self.git, top=self.folder, remote=self._remote, file=file)

    def with_present(self, present: RepositoryFiles) -> GitCheckout:
        """The same checkout, in which every commit seems to have the files that are there now."""
        other = self.at(self.path)
        other._present = present  # noqa: SLF001 - a copy of its own class
        return other

    def default_branch(self) -> str:
        """The remote's default branch as the clone knows it; see `unmoor.adapters.git.remote.default_branch`."""
        return default_branch(self.git, self.folder, self._remote)

    def on_a_branch(self, commit: str) -> bool | None:
        """Whether a branch of the remote contains a commit; see `unmoor.ports.git.Git`."""
        return on_a_branch(self.git, self.folder, self._remote, _checked(commit))

    def signer(self, tag: str, allowed: bytes) -> str:
        """Who signed a tag; see `unmoor.adapters.git.signatures.signer`."""
        return signer(self.git, self.folder, tag, allowed)

    def read(self, commit: str, path: str) -> bytes | None:
        """A file's content at a commit, following symbolic links inside the tree. Raises `Unknown` above 10 MB."""
        path = posixpath.join(self.path, path)
        if self._present is not None:
            return self._present.read(path)
        for _ in range(_LINKS_FOLLOWED):
            path = posixpath.normpath(path)
            if path.startswith(("/", "../")) or path in {"..", "."}:
                return None
            found = item(listing(self.git, self.folder, _checked(commit)), path)
            if found is None or found.kind != "blob":
                return None
            try:
                content = blob(self.git, self.folder, found.name, limit=LARGEST_FILE)
            except BlobTooLargeError as error:
                raise Unknown(
                    f"the file has {error.size} bytes, and the limit is {LARGEST_FILE}",
                    where=f"{clean(path)} at {commit[:12]}",
                    next_step=advice.SHRINK_FILE(),
                    retryable=False,
                ) from error
            if found.mode != "120000":
                return content
            path = posixpath.join(posixpath.dirname(path), content.decode(errors="replace"))
        return None

    def texts(self, commit: str, paths: Sequence[str]) -> Mapping[str, str]:
        """The texts of many files at a commit; see `unmoor.ports.git.Git`."""
        here = f"{self.path}/" if self.path else ""
        found = texts(self.git, self.folder, _checked(commit), [f"{here}{path}" for path in paths])
        return {path.removeprefix(here): text for path, text in found.items()}

    def files(self, commit: str) -> tuple[str, ...]:
        """Every tracked path at a commit, submodules included. With a folder, only the paths in it."""
        here = f"{self.path}/" if self.path else ""
        listed = self._present.names() if self._present is not None else self._paths(commit)
        return tuple(path.removeprefix(here) for path in listed if path.startswith(here))

    def _paths(self, commit: str) -> Sequence[str]:
        return paths(listing(self.git, self.folder, _checked(commit)))

    def executables(self, commit: str) -> frozenset[str]:
        """The executable files of a commit; see `unmoor.ports.git.Git`."""
        here = f"{self.path}/" if self.path else ""
        listed = executables(listing(self.git, self.folder, _checked(commit)))
        return frozenset(path.removeprefix(here) for path in listed if path.startswith(here))

    def deleted(self, commit: str, paths: Sequence[str]) -> frozenset[str]:
        """The paths that the history of a commit deletes; see `unmoor.ports.git.Git`."""
        return deleted(self.git, self.folder, _checked(commit), paths, within=self.path)

    def log(self, *, since: str | None, until: str, limit: int = 1000) -> tuple[Commit, ...]:
        """The commits in ``since..until``; see `unmoor.ports.git.Git`. Raises `Unknown` for a missing ref."""
        ends = [self._require(until), *([f"^{self._require(since)}"] if since is not None else [])]
        out = self._run(
            *("log", "-z", "--no-merges", "--no-decorate", "--no-color", "--no-patch", "--encoding=UTF-8"),
            *("--format=%H %ct %s", f"--max-count={limit}", *ends, "--", *filter(None, [self.path])),
        )
        fields = (entry.split(" ", 2) for entry in out.split("\0") if entry)
        return tuple(Commit(id=commit, date=int(date), subject=clean(subject)) for commit, date, subject in fields)

    def _require(self, ref: str) -> str:
        commit = self.commit_of(ref)
        if commit is None:
            raise Unknown(f"this checkout has no {ref[:80]!a}", where=str(self.folder), next_step=advice.FETCH_TAGS())
        return commit

    def clone(self, into: Path, *, commit: str, tag: str, whole: bool = True) -> Path:
        """Make a real clone with ``commit`` checked out; see `unmoor.ports.git.Git`.

        Keeps an existing annotated tag; creates a missing tag as a lightweight one. Fetches submodules from their
        own addresses and large files with git-lfs. Raises `Refused` if ``tag`` is on another commit or ``into`` is
        not empty, `Unknown` if a submodule or a large file cannot be fetched, and `ToolMissing` if git-lfs is needed
        but not installed.
        """
        objects = dict(self._tag_objects())
        tagged = objects[tag].commit if tag in objects else None
        if tagged not in {None, _checked(commit)}:
            raise Refused(
                f"the tag {tag} is on commit {str(tagged)[:12]}, not on {commit[:12]}: it was moved in the meantime",
                where=str(self.folder),
                retryable=True,
            )
        own = replace(self.git, own=True)
        clone_of(own, self.folder, into, one_branch=True)
        others = {name: each.object for name, each in objects.items() if each.commit != commit}
        write_tags(into / ".git", others | ({tag: objects[tag].object if tag in objects else commit} if tag else {}))
        if (origin := self.written_remote()) is None:
            own.run("remote", "remove", "origin", cwd=into)
        else:
            own.run("remote", "set-url", "--", "origin", origin, cwd=into)
        check_out(own, into, commit)
        if whole:
            # It searches source trees for pointers, which takes long to import.
            from unmoor.adapters.git.submodules_lfs import fetch_submodules_and_lfs

            top = self.at("")
            fetch_submodules_and_lfs(
                own, into, commit, source=self.folder, paths=top.files(commit), read=top.read, within=self.path
            )
        return into / self.path

    def _run(self, *args: str) -> str:
        return self.git.run(*args, cwd=self.folder).out

    def _line(self, *args: str, fine: tuple[int, ...] = (0,)) -> str:
        return self.git.run(*args, cwd=self.folder, fine=fine).out.strip()


def _belongs_to(top: Path, git_dir: Path) -> bool:
    """Whether a folder is the checkout of a repository by what is in the folder, not by the repository's settings."""
    own = top / ".git"
    if own.is_file():
        with own.open("rb") as stream:
            pointer = stream.read(_LONGEST_POINTER).decode(errors="surrogateescape")
        own = top / pointer.removeprefix("gitdir:").strip()
    return own.resolve() == git_dir.resolve()


def _checked(commit: str) -> str:
    """Return a full commit id unchanged. Raises `Refused` for anything else."""
    if not is_commit(commit):
        raise Refused(f"{commit[:80]!a} is not a full commit id", next_step=advice.NAME_FULL_COMMIT())
    return commit
