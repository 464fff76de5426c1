"""A checkout, read and cloned with the git program.

dulwich and pygit2 were passed over: the user's own credential helpers, ssh settings and safe
directories must count, and only git itself knows them all.
"""

from __future__ import annotations

import copy
import os
import posixpath
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

from unmoor.adapters.git.clone import check_out, clone_of
from unmoor.adapters.git.history import deleted
from unmoor.adapters.git.objects import blob, tree
from unmoor.adapters.git.program import GitProgram, without_login
from unmoor.adapters.git.remote import default_head, on_a_branch
from unmoor.adapters.git.signatures import signer
from unmoor.adapters.git.submodules_lfs import fetch_submodules_and_lfs
from unmoor.errors import Refused, Unknown
from unmoor.ports.git import Commit
from unmoor.ports.shell import Shell
from unmoor.util.digests import is_commit
from unmoor.util.text import clean

LARGEST_FILE: Final = 10_000_000
_LINKS_FOLLOWED = 5
# What a ref may not hold (git-check-ref-format), and what git reads as an expression over refs.
_NO_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-./]|[./]$|\.lock$|/\.|^@?$")


class GitCheckout:
    """The repository that a folder lies in, and its remote: a name, a path or an address.

    ``path`` is the folder of the repository from which files are seen, written from the top with slashes.
    Nothing that can change is remembered; what a commit holds is. Every call raises `Refused` where the folder is in no
    repository that git will work in, `Unknown` where git fails or takes too long, `ToolMissing`
    where there is no git.
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
    ) -> None:
        if not remote or remote.startswith("-") or not remote.isprintable():
            raise Refused(
                f"{clean(remote)!r} is neither the name nor the address of a remote",
                next_step="name a remote of the checkout, such as origin, or give its address",
            )
        self._given = folder
        self._remote = remote
        self.path = path
        self.git = GitProgram(shell=shell, environ=os.environ if environ is None else environ, timeout=timeout)

    def at(self, path: str) -> GitCheckout:
        """The same checkout, seen from a folder of the repository; see `unmoor.ports.git.Git`."""
        seen = copy.copy(self)  # where the repository lies is not asked again
        seen.path = path
        return seen

    @cached_property
    def _places(self) -> tuple[Path, Path]:
        """The top folder, and the repository's own."""
        if not self._given.is_dir():
            raise Refused("there is no such folder", where=str(self._given), next_step="name the project's checkout")
        ran = self.git.run("rev-parse", "--show-toplevel", "--absolute-git-dir", cwd=self._given)
        top, _, own = ran.out.removesuffix("\n").partition("\n")
        if not own or "\n" in own:
            raise Unknown(
                "git does not say where the repository lies",
                where=str(self._given),
                next_step="move the checkout",
                retryable=False,
            )
        return Path(top), Path(own)

    @property
    def folder(self) -> Path:
        """The top folder of the checkout."""
        return self._places[0]

    def shallow(self) -> bool:
        """Whether history is cut off."""
        return self._say("rev-parse", "--is-shallow-repository") == "true"

    def changed(self) -> tuple[str, ...]:
        """Tracked files that differ from HEAD, staged or not, sorted; untracked files never count."""
        out = self._run(
            *("status", "--porcelain=v1", "-z", "--untracked-files=no", "--no-renames", "--ignore-submodules=untracked")
        )
        return tuple(sorted(entry[3:] for entry in out.split("\0") if entry))

    def head(self) -> str | None:
        """The commit that is checked out, ``None`` in an empty repository."""
        return self._say("rev-parse", "--verify", "--quiet", "HEAD^{commit}", fine=(0, 1)) or None

    def commit_of(self, ref: str) -> str | None:
        """The commit behind a tag or a full commit id; see `unmoor.ports.git.Git`. `Refused` for what is no name."""
        if is_commit(ref):
            return self._say("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", fine=(0, 1)) or None
        if _NO_REF.search(ref):
            raise Refused(f"{ref[:80]!a} is no name that git takes for a tag", next_step="name a tag such as v1.2.3")
        return self._tags_under(f"refs/tags/{ref}").get(ref)

    def date_of(self, commit: str) -> int:
        """The committer's time, in seconds since 1970."""
        said = self._say("log", "-1", "--no-decorate", "--format=%ct", _checked(commit), "--")
        if not said.isdecimal():
            raise Unknown(
                f"git gives no time for commit {commit[:12]}", next_step="see: git log -1 --format=%ct", retryable=False
            )
        return int(said)

    def tags(self) -> Mapping[str, str]:
        """Every local tag, with the commit it peels to; tags of trees and blobs are left out."""
        return self._tags_under("refs/tags")

    def _tags_under(self, pattern: str) -> dict[str, str]:
        fields = "%(refname)%00%(objectname)%00%(objecttype)%00%(*objectname)%00%(*objecttype)"
        found: dict[str, str] = {}
        for line in self._run("for-each-ref", f"--format={fields}", pattern).split("\n"):
            if not line:
                continue
            ref, target, sort, inner, inner_sort = line.split("\0")
            if sort == "tag":
                target, sort = inner, inner_sort
            if sort == "tag":  # a tag of a tag: git before 2.45 peels once
                target = self._say("rev-parse", "--verify", "--quiet", f"{target}^{{commit}}", fine=(0, 1))
                sort = "commit" if target else ""
            if sort == "commit":
                found[ref.removeprefix("refs/tags/")] = target
        return found

    def remote(self) -> str | None:
        """The address of the remote, without credentials; ``None`` where there is none."""
        ran = self.git.run("remote", "get-url", "--", self._remote, cwd=self.folder, fine=(0, 2))
        if ran.code == 0:
            return without_login(ran.out.strip())
        return without_login(self._remote) if re.search(r"[/:]", self._remote) else None

    def remote_tags(self) -> Mapping[str, str]:
        """Every tag of the remote, peeled; see `unmoor.ports.git.Git`."""
        address = self.remote()
        if address is None:
            raise Unknown(
                f"the checkout has no remote named {clean(self._remote)}, so its tags cannot be read",
                where=str(self.folder),
                next_step=f"git remote add {clean(self._remote)} ADDRESS",
            )
        out = self.git.run("ls-remote", "--quiet", "--tags", "--", self._remote, cwd=self.folder, remote=True).out
        direct: dict[str, str] = {}
        peeled: dict[str, str] = {}
        for line in filter(None, out.split("\n")):
            target, tab, ref = line.partition("\t")
            if not tab or not is_commit(target) or not ref.startswith("refs/tags/"):
                raise Unknown(
                    f"the remote answered with something that is no list of tags: {clean(line, 80)!r}",
                    where=address,
                    next_step="see what git ls-remote --tags says",
                )
            name = ref.removeprefix("refs/tags/")
            (peeled if name.endswith("^{}") else direct)[name.removesuffix("^{}")] = target
        return direct | peeled

    def default_head(self) -> str | None:
        """The last commit of the remote's default branch; see `unmoor.ports.git.Git`."""
        if self.remote() is None:
            return self.head()
        return default_head(self.git, self.folder, self._remote, commit_of=self.commit_of)

    def on_a_branch(self, commit: str) -> bool | None:
        """Whether a branch of the remote holds a commit; see `unmoor.ports.git.Git`."""
        return on_a_branch(self.git, self.folder, self._remote, _checked(commit))

    def signer(self, tag: str, allowed: bytes) -> str:
        """Who signed a tag; see `unmoor.adapters.git.signatures.signer`."""
        return signer(self.git, self.folder, tag, allowed)

    def read(self, commit: str, path: str) -> bytes | None:
        """A file's content at a commit; links are followed inside the tree. Raises `Unknown` above 10 MB."""
        path = posixpath.join(self.path, path)
        for _ in range(_LINKS_FOLLOWED):
            path = posixpath.normpath(path)
            if path.startswith(("/", "../")) or path in {"..", "."}:
                return None
            listed = tree(self.git, self.folder, _checked(commit), "-l", path=path).partition("\0")[0]
            if not listed:
                return None
            mode, sort, name, size = listed.partition("\t")[0].split()
            if sort != "blob":
                return None
            if int(size) > LARGEST_FILE:
                raise Unknown(
                    f"it is {size} bytes long, and {LARGEST_FILE} is the most that is read",
                    where=f"{clean(path)} at {commit[:12]}",
                    next_step="make the file smaller, or name another one in the settings",
                    retryable=False,
                )
            content = blob(self.git, self._places[1], name)
            if mode != "120000":
                return content
            path = posixpath.join(posixpath.dirname(path), content.decode(errors="replace"))
        return None

    def files(self, commit: str) -> tuple[str, ...]:
        """Every path tracked at a commit, submodules among them; from the folder, those in it."""
        out = tree(self.git, self.folder, _checked(commit), "-r", "--name-only")
        here = f"{self.path}/" if self.path else ""
        return tuple(path.removeprefix(here) for path in out.split("\0") if path and path.startswith(here))

    def deleted(self, commit: str, paths: Sequence[str]) -> frozenset[str]:
        """Which of some paths the history of a commit has deleted; see `unmoor.ports.git.Git`."""
        return deleted(self.git, self.folder, _checked(commit), paths, within=self.path)

    def log(self, *, since: str | None, until: str, limit: int = 1000) -> tuple[Commit, ...]:
        """The commits in ``since..until``; see `unmoor.ports.git.Git`. Raises `Unknown` for a ref that is not here."""
        ends = [self._known(until), *([f"^{self._known(since)}"] if since is not None else [])]
        out = self._run(
            *("log", "-z", "--no-merges", "--no-decorate", "--no-color", "--no-patch", "--encoding=UTF-8"),
            *("--format=%H %ct %s", f"--max-count={limit}", *ends, "--", *filter(None, [self.path])),
        )
        split = (entry.split(" ", 2) for entry in out.split("\0") if entry)
        return tuple(Commit(id=known, date=int(date), subject=clean(subject)) for known, date, subject in split)

    def _known(self, ref: str) -> str:
        commit = self.commit_of(ref)
        if commit is None:
            raise Unknown(f"this checkout holds no {ref[:80]!a}", where=str(self.folder), next_step="git fetch --tags")
        return commit

    def clone(self, into: Path, *, commit: str, tag: str) -> Path:
        """Make a real clone that stands at ``commit``; see `unmoor.ports.git.Git`.

        An annotated tag comes along as it is; one that has to be made is a plain one. Submodules are
        fetched from where they say, and large files by git-lfs. Raises `Refused` where ``tag`` is another
        commit's, or ``into`` is not empty, `Unknown` for a submodule or a large file that cannot be had,
        `ToolMissing` where git-lfs is wanted and not here.
        """
        here = self.commit_of(tag)
        if here not in {None, _checked(commit)}:
            raise Refused(
                f"the tag {tag} is on commit {str(here)[:12]}, not on {commit[:12]}: it was moved meanwhile",
                where=str(self.folder),
                retryable=True,
            )
        clone_of(self.git, self.folder, into, bare=False)
        clone = GitCheckout(into, self.git.shell, environ=self.git.environ, timeout=self.git.timeout)
        clone._stand_at(commit, tag, origin=self.remote(), source=self.folder)  # its own kind
        return into / self.path

    def _stand_at(self, commit: str, tag: str, *, origin: str | None, source: Path) -> None:
        """In a fresh clone: leave one tag on the commit, name the origin, check the commit out."""
        others = [name for name, target in self.tags().items() if target == commit and name != tag]
        if others:
            self._run("tag", "--delete", "--", *others)
        if self.commit_of(tag) is None:
            self._run("update-ref", f"refs/tags/{tag}", commit)
        if origin is None:
            self._run("remote", "remove", "origin")
        else:
            self._run("remote", "set-url", "--", "origin", origin)
        check_out(self.git, self.folder, commit)
        fetch_submodules_and_lfs(self.git, self.folder, commit, source=source, paths=self.files(commit), read=self.read)

    def _run(self, *args: str) -> str:
        return self.git.run(*args, cwd=self.folder).out

    def _say(self, *args: str, fine: tuple[int, ...] = (0,)) -> str:
        return self.git.run(*args, cwd=self.folder, fine=fine).out.strip()


def _checked(commit: str) -> str:
    """Return a full commit id. Raises `Refused` for anything else."""
    if not is_commit(commit):
        raise Refused(f"{commit[:80]!a} is not a full commit id", next_step="name the commit by all its digits")
    return commit
