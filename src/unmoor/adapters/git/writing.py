"""Commit, tag and push as the user does, without touching the checkout.

Everything is made in a linked work tree beside the checkout (``git worktree``), so a failure, or a kill, leaves branch,
index and files of the user as they are. The user's hooks run there, since maintainers expect that of a commit: with the
same `core.hooksPath`, made absolute, the same environment, and the index of that work tree. A tag is an object before
it is a ref: ``git tag`` runs in a bare repository that borrows the objects and the settings, so no half-made tag stays.
After the push, one fast-forward moves the user's branch.

Not dulwich or pygit2: hooks, signing programs, credential helpers and filters are git's.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from unmoor import advice
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.git.program import failure, reason
from unmoor.adapters.git.push_outcome import read_outcome
from unmoor.adapters.git.remote import ls_remote
from unmoor.errors import Cause, Refused, TimedOut, Unknown, UnmoorError
from unmoor.filesystem.layout import NULL_OF_GIT
from unmoor.filesystem.safe_folder import make_private, remove
from unmoor.ports.failure import failure as caused
from unmoor.ports.git_writer import CommitChange, PushOutcome, PushState
from unmoor.ports.shell import Ran, Shell
from unmoor.util.digests import is_commit
from unmoor.util.text import clean

_OPTIONS: Final = (
    *("-c", "protocol.ext.allow=never"),
    *("-c", "gc.auto=0"),
    *("-c", "maintenance.auto=false"),
    *("-c", "color.ui=false"),
    *("-c", "advice.detachedHead=false"),
    *("-c", "core.longPaths=true"),
)
# Variables that lead git to another repository or index (git rev-parse --local-env-vars).
_ELSEWHERE: Final = frozenset(
    {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"}
    | {"GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_IMPLICIT_WORK_TREE"}
    | {"GIT_GRAFT_FILE", "GIT_SHALLOW_FILE", "GIT_LITERAL_PATHSPECS", "GIT_QUARANTINE_PATH"}
)
_FIXED: Final = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_EDITOR": "false",
    "GIT_PAGER": "cat",
    "GIT_LFS_SKIP_SMUDGE": "1",
}
# Hooks run the linters and perhaps the tests of a project.
_HOOKS_TIMEOUT: Final = 1800.0
_PUSH_TIMEOUT: Final = 600.0
_LONGEST_MESSAGE: Final = 60_000
_LINES_OF_HOOKS: Final = 40
_MOST_MESSAGES: Final = 1000


@dataclass(frozen=True, kw_only=True)
class CheckoutWriter:
    """Implements `unmoor.ports.git_writer.GitWriter` for a checkout and one of its remotes."""

    checkout: GitCheckout
    shell: Shell
    environ: Mapping[str, str]
    remote: str = "origin"

    def branch(self) -> str:
        """The branch that is checked out, empty if a commit is."""
        ran = self._read("symbolic-ref", "--quiet", "HEAD", fine=(0, 1))
        return ran.out.strip().removeprefix("refs/heads/")

    def remote_branch(self, branch: str) -> str | None:
        """The last commit of a branch of the remote."""
        return self._remote_refs(f"refs/heads/{branch}").get(f"refs/heads/{branch}")

    def remote_tag(self, tag: str) -> str | None:
        """The object that a tag of the remote names."""
        return self._remote_refs(f"refs/tags/{tag}").get(f"refs/tags/{tag}")

    def remote_default(self) -> str:
        """The remote's default branch."""
        out = ls_remote(self.checkout.git, self._top, self.remote, "--symref", patterns=["HEAD"])
        found = re.search(r"^ref: refs/heads/([^\t\n]+)\tHEAD$", out, re.MULTILINE)
        return found[1] if found else ""

    def _remote_refs(self, *names: str) -> dict[str, str]:
        out = ls_remote(self.checkout.git, self._top, self.remote, patterns=names)
        pairs = (line.partition("\t") for line in out.splitlines())
        return {ref: target for target, _, ref in pairs if ref in names and is_commit(target)}

    def contains(self, commit: str, ancestor: str) -> bool | None:
        """Whether a commit has an ancestor, or is it; ``None`` if the checkout lacks one of them."""
        if None in (self.checkout.commit_of(commit), self.checkout.commit_of(ancestor)):
            return None
        return self._read("merge-base", "--is-ancestor", ancestor, commit, fine=(0, 1)).code == 0

    def merged_tags(self, commit: str) -> tuple[str, ...]:
        """The names of the tags on a commit and its ancestors."""
        ran = self._read("for-each-ref", f"--merged={commit}", "--format=%(refname)", "refs/tags")
        return tuple(ref.removeprefix("refs/tags/") for ref in ran.out.split("\n") if ref)

    def messages(self, commit: str, *, since: str | None, path: str) -> tuple[str, ...]:
        """The messages of the commits after a tag that touch a folder."""
        ends = [commit, *([f"^refs/tags/{since}"] if since is not None else [])]
        options = ("-z", "--no-merges", "--no-decorate", "--format=%B", f"--max-count={_MOST_MESSAGES}")
        out = self._read("log", *options, *ends, "--", *filter(None, [path])).out
        return tuple(filter(None, (message.strip() for message in out.split("\0"))))

    def first_parents(self, commit: str, *, limit: int) -> tuple[str, ...]:
        """A commit, its first parent, and so on."""
        ran = self._read("rev-list", "--first-parent", f"--max-count={limit}", commit, "--")
        return tuple(ran.out.split())

    def change_of(self, commit: str) -> CommitChange:
        """What a commit changes; see the port."""
        parents, _, message = self._read("log", "-1", "--no-decorate", "--format=%P%x00%B", commit, "--").out.partition(
            "\0"
        )
        options = ("-r", "-z", "--root", "--no-commit-id", "--name-only", "--no-renames", "--diff-merges=first-parent")
        paths = self._read("diff-tree", *options, commit, "--").out
        return CommitChange(
            parents=tuple(parents.split()),
            message=message.strip(),
            paths=tuple(path for path in paths.split("\0") if path),
        )

    def fetch(self, branch: str) -> str:
        """Fetch a branch of the remote, and the tags on it."""
        found = self.remote_branch(branch)
        if found is None:
            raise Refused(
                f"the remote has no branch {clean(branch)}", where=self.remote, next_step=advice.NAME_A_REMOTE()
            )
        self._write("fetch", "--quiet", "--", self.remote, f"refs/heads/{branch}", timeout=_PUSH_TIMEOUT)
        return found

    def same_files(self, remote_commit: str, commit: str) -> bool:
        """Whether a commit of the remote has the same files, and the same parent."""
        if self.checkout.commit_of(remote_commit) is None:
            self._write("fetch", "--quiet", "--no-tags", "--", self.remote, remote_commit, timeout=_PUSH_TIMEOUT)
        fields = {self._read("log", "-1", "--format=%T %P", each, "--").out for each in (remote_commit, commit)}
        return len(fields) == 1

    @contextmanager
    def tree(self, folder: Path, commit: str) -> Iterator[Path]:
        """A linked work tree with a commit checked out, removed at the end."""
        tree = folder / "tree"
        self._remove_tree(tree)
        make_private(folder)
        no_hooks = ("-c", f"core.hooksPath={NULL_OF_GIT}")
        self._write(*no_hooks, "worktree", "add", "--detach", "--quiet", "--", str(tree), commit, timeout=_PUSH_TIMEOUT)
        try:
            yield tree
        finally:
            with suppress(UnmoorError):  # the next call removes what is left
                self._remove_tree(tree)

    def _remove_tree(self, tree: Path) -> None:
        if tree.exists() or tree.is_symlink():
            remove(tree)
        self.checkout.git.run("worktree", "prune", cwd=self._top)

    def stage(self, tree: Path) -> str:
        """Add every change of a tree to its index, and return the diff."""
        self._write("add", "--all", "--", ".", cwd=tree)
        return self.checkout.git.run("diff", "--cached", "--no-ext-diff", "--no-color", "HEAD", "--", cwd=tree).out

    def commit(self, tree: Path, message: str, *, verify: bool = True) -> str:
        """Commit the index of a tree with the user's hooks; see the port."""
        options = ["--quiet", "--cleanup=verbatim", "--allow-empty", "--file=-", *([] if verify else ["--no-verify"])]
        args = (*self._hooks, "commit", *options)
        ran = self._try(*args, cwd=tree, stdin=_text(message), timeout=_HOOKS_TIMEOUT)
        if ran.code and self.checkout.git.run("diff", "--name-only", "--no-ext-diff", cwd=tree).out:
            self._write("add", "--update", "--", ".", cwd=tree)
            ran = self._try(*args, cwd=tree, stdin=_text(message), timeout=_HOOKS_TIMEOUT)
        if ran.code:
            said = [line for line in f"{ran.out}\n{ran.err}".splitlines() if line.strip()][-_LINES_OF_HOOKS:]
            raise Refused(
                "\n".join(("git commit failed, perhaps in a hook of this repository:", *(clean(x, 300) for x in said))),
                where=str(self._top),
                next_step=advice.MAKE_COMMIT_PASS(),
            )
        if self.checkout.git.run("diff", "--name-only", "--no-ext-diff", "HEAD", cwd=tree).out:  # a post-commit hook
            raise Refused(
                "a hook of this repository changed files after the commit",
                where=str(self._top),
                next_step=advice.MAKE_COMMIT_PASS(),
            )
        return self.checkout.git.run("rev-parse", "--verify", "HEAD^{commit}", cwd=tree).out.strip()

    @cached_property
    def _hooks(self) -> tuple[str, ...]:
        """The option for the folder of the user's hooks, if it is relative: git takes it from where it runs."""
        ran = self._try("config", "--type=path", "--get", "core.hooksPath", cwd=self._top)
        path = ran.out.strip()
        return ("-c", f"core.hooksPath={self._top / path}") if path and not ran.code else ()

    def tag(self, folder: Path, name: str, commit: str, message: str, *, sign: bool = False) -> str:
        """Make an annotated tag as an object; see the port."""
        scratch = folder / "tags.git"
        if scratch.exists():
            remove(scratch)
        kind = self._read("rev-parse", "--show-object-format").out.strip()
        self._write("init", "--quiet", "--bare", "--template=", f"--object-format={kind}", "--", str(scratch))
        common = Path(self._read("rev-parse", "--git-common-dir").out.strip())
        common = common if common.is_absolute() else self._top / common
        # git reads backslashes as escapes in both files.
        objects, settings = (path.resolve().as_posix() for path in (common / "objects", common / "config"))
        (scratch / "objects" / "info").mkdir(parents=True, exist_ok=True)
        (scratch / "objects" / "info" / "alternates").write_text(f"{objects}\n", "utf-8", newline="\n")
        at = (f"--git-dir={scratch}", "-c", f"include.path={settings}", "-c", "core.bare=true")
        options = ["--annotate", *(["--sign"] if sign else []), "--cleanup=verbatim", "--file=-"]
        ran = self._try(*at, "tag", *options, "--", name, commit, stdin=_text(message), timeout=_HOOKS_TIMEOUT)
        if ran.code:
            raise self._not_tagged(name, ran)
        found = self.checkout.git.run(*at, "rev-parse", "--verify", f"refs/tags/{name}", cwd=self._top).out.strip()
        content = self.checkout.git.run(*at, "cat-file", "tag", found, cwd=self._top, exact=True).out
        if "\n-----BEGIN " not in content and (sign or self._signs_tags()):
            raise self._not_tagged(name, ran)  # git only prints that it could not sign with a key of ssh
        ran = self.checkout.git.run(
            *("hash-object", "-w", "-t", "tag", "--stdin"),
            cwd=self._top,
            stdin=content.encode(errors="surrogateescape"),
        )
        shutil.rmtree(scratch, ignore_errors=True)
        return ran.out.strip()

    def _signs_tags(self) -> bool:
        names = ("tag.gpgSign", "tag.forceSignAnnotated")
        return any(self._try("config", "--type=bool", "--get", name).out.strip() == "true" for name in names)

    def _not_tagged(self, name: str, ran: Ran) -> Refused:
        return Refused(
            f"git cannot make the tag {name}: {reason(ran.err or ran.out) or 'it is not signed'}",
            where=str(self._top),
            next_step=advice.MAKE_TAG_SIGNABLE(),
        )

    def push(self, refs: Mapping[str, str], *, leases: Mapping[str, str] | None = None) -> PushOutcome:
        """Push objects to refs, all of them or none; see the port."""
        held = [f"--force-with-lease={ref}:{commit}" for ref, commit in (leases or {}).items()]
        specs = [f"{target}:{ref}" for ref, target in refs.items()]
        args = ("push", "--porcelain", "--atomic", "--no-follow-tags", *held, "--", self.remote, *specs)
        try:
            ran = self._try(*args, timeout=_PUSH_TIMEOUT)
        except TimedOut as error:
            outcome = PushOutcome(state=PushState.LOST, reason=error.what)
        else:
            if ran.code == 0:
                return PushOutcome(state=PushState.DONE)
            outcome = read_outcome(ran)
        if outcome.state is PushState.LOST and self._remote_refs(*refs) == dict(refs):
            return PushOutcome(state=PushState.DONE)
        return outcome

    def finish(self, branch: str, commit: str, tags: Mapping[str, str]) -> Sequence[str]:
        """Move the branch forward, and write the tags."""
        left = []
        for name, target in tags.items():
            ref = f"refs/tags/{name}"
            there = self._read("rev-parse", "--verify", "--quiet", ref, fine=(0, 1)).out.strip()
            if there != target and self._try("update-ref", ref, target, "0" * len(target)).code:
                left.append(f"the tag {name} is not in this checkout: git fetch {self.remote} tag {name}")
        if branch and self.branch() == branch:
            merge = ("-c", f"core.hooksPath={NULL_OF_GIT}", "merge", "--ff-only", "--quiet", commit)
            if self._try(*merge, timeout=_PUSH_TIMEOUT).code:
                left.append(f"the branch {branch} of this checkout is not up to date: git pull --ff-only")
        return left

    @property
    def _top(self) -> Path:
        return self.checkout.folder

    def _read(self, *args: str, fine: tuple[int, ...] = (0,)) -> Ran:
        return self.checkout.git.run(*args, cwd=self._top, fine=fine)

    def _write(self, *args: str, cwd: Path | None = None, timeout: float = 120.0) -> Ran:
        """Run git as the user does. Raises `Unknown` if it fails."""
        ran = self._try(*args, cwd=cwd, timeout=timeout)
        if ran.code:
            what = next(word for word in args if not word.startswith("-") and "=" not in word)
            raise failure(f"git {what}", ran, cwd or self._top)
        return ran

    def _try(self, *args: str, cwd: Path | None = None, stdin: bytes = b"", timeout: float = 120.0) -> Ran:
        """Run git as the user does, and return how it ended."""
        variables = {name: value for name, value in self.environ.items() if name not in _ELSEWHERE}
        return self.shell.run(
            ("git", *_OPTIONS, *args), cwd=cwd or self._top, env=variables | _FIXED, stdin=stdin, timeout=timeout
        )


def _text(message: str) -> bytes:
    data = f"{message.strip()}\n".encode()
    if len(data) > _LONGEST_MESSAGE:
        raise Refused("the message is too long", next_step=advice.SHORTEN_MESSAGE())
    return data


def lost(outcome: PushOutcome, remote: str) -> Unknown:
    """The error for a push without a usable answer."""
    error = caused(Cause.LOST, f"git push failed: {outcome.reason}", where=remote)
    assert isinstance(error, Unknown)  # noqa: S101 - what `ports.failure` gives for this cause
    return error
