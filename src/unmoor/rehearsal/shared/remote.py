"""The bare git repository that serves as the remote; read and written with git itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from unmoor import advice
from unmoor.adapters.git.program import OPTIONS, variables
from unmoor.adapters.process.servers import Ended, Program
from unmoor.errors import Refused, ToolMissing
from unmoor.filesystem.layout import find_program
from unmoor.filesystem.safe_folder import remove, rename
from unmoor.util.digests import is_commit

TIMEOUT = 60.0
_FIELDS = "%(refname)%00%(objectname)%00%(objecttype)"


def git() -> str:
    """Return the path of git. Raises `ToolMissing`."""
    found = find_program("git", os.environ)
    if found is None:
        raise ToolMissing(
            "git is not installed",
            where="the local world",
            next_step=advice.INSTALL_PROGRAM(program="git"),
            retryable=True,
        )
    return str(found)


def begin(folder: Path, checkout: Path | None) -> Program | None:
    """Begin to make the remote under a temporary name; ``None`` if it exists already. `finish` renames it."""
    if (folder / "remote.git").is_dir():
        return None
    aside = folder / "remote.git.part"
    remove(aside)
    made = ("init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(aside))
    cloned = ("clone", "--quiet", "--bare", "--template=", "--", str(checkout), str(aside))
    return Program([git(), *OPTIONS, *(made if checkout is None else cloned)], variables(os.environ, own=True))


def finish(folder: Path, begun: Program | None) -> Remote:
    """Wait for what `begin` started. Raises `Refused` with git's message if the checkout cannot be cloned."""
    if begun is not None:
        try:
            code, _, words = begun.wait(TIMEOUT)
        except TimeoutError as error:
            code, words = 1, str(error).encode()
        if code:
            message = " ".join(words.decode(errors="replace").split())[:500]
            raise Refused(
                f"the checkout cannot be cloned: {message}",
                where="the local world",
                next_step=advice.GO_TO_CHECKOUT(),
            )
        rename(folder / "remote.git.part", folder / "remote.git")
    return Remote(folder / "remote.git")


class Ref(msgspec.Struct, frozen=True, kw_only=True):
    """A ref, and what it points to."""

    name: str
    sha: str
    kind: str


class Remote(msgspec.Struct, frozen=True):
    """The bare repository. Every method runs git once or twice, a few milliseconds each."""

    path: Path

    def run(self, *args: str, env: Mapping[str, str] | None = None) -> Ended:
        """Run git in the repository, with more variables."""
        command = [git(), *OPTIONS, f"--git-dir={self.path}", *args]
        return Program(command, variables(os.environ, own=True) | dict(env or {})).wait(TIMEOUT)

    def refs(self, prefix: str) -> list[Ref]:
        """Return every ref whose full name begins with ``prefix``, sorted by name."""
        # Git's patterns are whole parts of a name. It searches the file with thousands of tags only for those.
        folder, _, last = prefix.rpartition("/")
        out = self._list(folder if last else prefix)
        return [ref for ref in out if ref.name.startswith(prefix)]

    def _list(self, pattern: str) -> list[Ref]:
        out = self.run("for-each-ref", f"--format={_FIELDS}", pattern).out.decode(errors="replace")
        rows = (line.split("\0") for line in out.splitlines())
        return [Ref(name=name, sha=sha, kind=kind) for name, sha, kind in rows]

    def ref(self, name: str) -> Ref | None:
        """Return one ref by its full name; ``None`` if there is none."""
        return next((each for each in self._list(name) if each.name == name), None)

    def default_branch(self) -> str:
        """Return the branch that HEAD names; ``main`` if it names none."""
        # Not --short, which writes heads/main if there is a tag main.
        return self.run("symbolic-ref", "HEAD").out.decode().strip().removeprefix("refs/heads/") or "main"

    def tag_object(self, sha: str) -> dict[str, str] | None:
        """Return an annotated tag: name, message, tagger, date, and its target; ``None`` for anything else."""
        if not is_commit(sha) or self.run("cat-file", "-t", sha).out.strip() != b"tag":
            return None
        head, _, message = self.run("cat-file", "tag", sha).out.decode(errors="replace").partition("\n\n")
        fields = dict(line.partition(" ")[::2] for line in head.splitlines())
        return {**fields, "message": message}

    def is_tag_name(self, name: str) -> bool:
        """Whether git accepts this as a tag's name."""
        return "\0" not in name and self.run("check-ref-format", f"refs/tags/{name}").code == 0

    def commit(self, target: str) -> str | None:
        """Return the commit of a branch or of a full hash; ``None`` for anything else, as on GitHub."""
        branch = self.ref(f"refs/heads/{target}")
        if branch is not None:
            return branch.sha
        if not is_commit(target) or self.run("cat-file", "-t", target).out.strip() != b"commit":
            return None
        return target

    def history(self, target: str, most: int = 100) -> list[str]:
        """Return the last commits of a branch or of a full hash, the newest first; none if there is no such branch."""
        begin = self.commit(target)
        return [] if begin is None else self.run("rev-list", f"--max-count={most}", begin).out.decode().split()

    def commit_of(self, ref: str) -> str | None:
        """Return the commit that a ref leads to; ``None`` if there is none."""
        ran = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        return ran.out.decode().strip() or None

    def newest_tag(self) -> str:
        """Return the full name of the tag that was made last; empty if there is none."""
        args = ("--count=1", "--sort=-version:refname", "--sort=-creatordate", "--format=%(refname)", "refs/tags")
        return self.run("for-each-ref", *args).out.decode(errors="replace").strip()

    def make_tag(self, name: str, commit: str) -> None:
        """Make a lightweight tag, if there is none."""
        self.run("update-ref", f"refs/tags/{name}", commit, "0" * len(commit))
