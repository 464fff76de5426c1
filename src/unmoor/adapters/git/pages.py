"""A branch of pages, read and written without a checkout of it.

A bare repository in a temporary folder fetches the last commit of the branch without the contents of its files
(``--filter=blob:none``). New pages become objects there, a tree is put together from the ids at the top of the branch,
and one commit of it is pushed with a lease. So a site of thousands of pages costs what changes of it, and no file of
another version is ever downloaded. ``ghp-import`` and ``mike`` need a clone of everything.

Git runs with settings of its own here: the user's count for calls to the remote only. Attributes in built pages change
none of them: those of the repository win, and say that files are bytes.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from unmoor import advice
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.git.program import OWN_SETTINGS, GitProgram
from unmoor.adapters.git.push_outcome import read_outcome
from unmoor.deploy.docs.objects import tree_object
from unmoor.errors import Unknown
from unmoor.filesystem.safe_folder import remove
from unmoor.ports.git_writer import PushOutcome, PushState
from unmoor.ports.pages import FILE, TREE, BranchEntry, FormerPages, PagesChange, PagesState
from unmoor.ports.shell import Ran
from unmoor.util.digests import is_commit
from unmoor.util.secret import Secret
from unmoor.util.text import clean
from unmoor.util.values import replace

_REMOTE: Final = "pages"
_TIMEOUT: Final = 600.0
_LARGEST_READ: Final = 1_000_000
_MOST_COMMITS: Final = 20_000
# As --unshallow, which is an error in a repository that has everything already.
_WHOLE: Final = "--depth=2147483647"
_MARKER: Final = "Unmoor-Docs"
# Before any attributes of the pages themselves.
_ATTRIBUTES: Final = "* -text -eol -crlf -filter -ident -working-tree-encoding -diff -merge\n"
_IDENTITY: Final = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "unmoor"), ("EMAIL", "unmoor@localhost"))
}
_PLAIN: Final = ("core.fileMode=false", "core.looseCompression=0", "core.symlinks=true", "core.precomposeUnicode=false")


@dataclass(frozen=True, kw_only=True)
class GitPages:
    """Implements `unmoor.ports.pages.PagesBranch` for a branch of a checkout's remote.

    ``site`` and ``repository`` are those of the forge, and ``token`` is its token: git gets it for that host only, in a
    variable, never as an argument.
    """

    checkout: GitCheckout
    remote: str
    branch: str
    site: str = ""
    repository: str = ""
    token: Secret = field(default_factory=lambda: Secret(""))

    @property
    def where(self) -> str:
        """The remote and the branch, without credentials."""
        return f"{self.checkout.remote() or clean(self.remote)} ({clean(self.branch)})"

    def address(self, state: PagesState, custom: bytes | None) -> str:
        """The address of the site: the user's own domain, that of GitHub Pages, or the branch on the forge."""
        del state
        domain = (custom or b"").decode("ascii", "replace").strip().lower()
        if domain and all(part.replace("-", "").isalnum() for part in domain.split(".")):
            return f"https://{domain}/"
        owner, _, name = self.repository.partition("/")
        if urlsplit(self.site).hostname == "github.com" and name:
            host = f"{owner.lower()}.github.io"
            return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"
        return f"{self.site}/{self.repository}/tree/{self.branch}/" if name and self.site else ""

    def open(self, folder: Path) -> _Work:
        """Read the branch into a bare repository in a folder."""
        work = _Work(pages=self, scratch=folder / "pages.git")
        work.fetch()
        return work

    @cached_property
    def url(self) -> str:
        """The address of the remote, perhaps with a login. A path is absolute."""
        if self.remote.startswith("/") or "://" in self.remote:
            return self.remote
        git = self.checkout.git
        ran = git.run("remote", "get-url", "--", self.remote, cwd=self.checkout.folder, fine=(0, 2))
        url = ran.out.strip() if ran.code == 0 else self.remote
        local = self.checkout.folder / url
        return str(local.resolve()) if local.is_dir() else url

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Variables that describe the remote to git, in addition to what the user's variables configure."""
        settings = {
            f"remote.{_REMOTE}.url": self.url,
            f"remote.{_REMOTE}.promisor": "true",
            f"remote.{_REMOTE}.partialCloneFilter": "blob:none",
        }
        place, site = urlsplit(self.url), urlsplit(self.site)
        if self.token and place.scheme in {"http", "https"} and place.hostname == site.hostname and "@" not in self.url:
            login = base64.b64encode(f"x-access-token:{self.token.reveal()}".encode()).decode()
            settings[f"http.{place.scheme}://{place.netloc}/.extraHeader"] = f"Authorization: Basic {login}"
        local = Path(self.url).is_absolute()
        count = 0 if local else _count(environ.get("GIT_CONFIG_COUNT", ""))
        found = dict(OWN_SETTINGS) if local else {}
        for number, (name, value) in enumerate(settings.items(), count):
            found |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        return {**found, "GIT_CONFIG_COUNT": str(count + len(settings))}


def _count(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 4 else 0  # noqa: PLR2004 - git has a limit as well


@dataclass(kw_only=True)
class _Work:
    """Implements `unmoor.ports.pages.PagesWork` in a bare repository."""

    pages: GitPages
    scratch: Path
    state: PagesState = field(default_factory=PagesState)

    @cached_property
    def _git(self) -> GitProgram:
        return replace(self.pages.checkout.git, own=True)

    @cached_property
    def _variables(self) -> dict[str, str]:
        return self.pages.variables(self._git.environ)

    def fetch(self) -> None:
        """Make the repository, and fetch the last commit of the branch."""
        head = self._head()
        kind = "sha256" if len(head) > 40 else "sha1"  # noqa: PLR2004 - digits of SHA-1
        parent = self.scratch.parent
        self._git.run(
            *("init", "--quiet", "--bare", "--template=", f"--object-format={kind}", "--", str(self.scratch)),
            cwd=parent,
        )
        info = self.scratch / "info"
        info.mkdir(exist_ok=True)
        (info / "attributes").write_text(_ATTRIBUTES, "ascii", newline="\n")
        self._git.run("config", "extensions.partialClone", _REMOTE, cwd=self.scratch)
        self._git.run("config", "core.repositoryFormatVersion", "1", cwd=self.scratch)
        if head:
            self._remote("fetch", "--quiet", "--depth=1", "--filter=blob:none", "--no-tags", _REMOTE, head)
            self.state = PagesState(commit=head, entries=self._entries(head))

    def _head(self) -> str:
        ref = f"refs/heads/{self.pages.branch}"
        folder = self.pages.checkout.folder
        args = ("ls-remote", "--quiet", "--", _REMOTE, ref)
        out = self._git.run(*args, cwd=folder, remote=True, env=self._variables).out
        found = (line.partition("\t") for line in out.splitlines())
        head = next((commit for commit, _, name in found if name == ref), "")
        if head and not is_commit(head):
            raise Unknown("the remote's answer is no list of branches", where=self.pages.where)
        return head

    def _entries(self, commit: str) -> dict[str, BranchEntry]:
        out = self._remote("ls-tree", "-z", "--full-tree", commit, exact=True).out
        lines = (line.partition("\t") for line in out.split("\0") if line)
        fields = ((head.split(" "), name) for head, _, name in lines)
        return {name: BranchEntry(mode=mode, id=found) for (mode, _, found), name in fields}

    def read(self, name: str) -> bytes | None:
        """A small file at the top of the branch."""
        entry = self.state.entries.get(name)
        if entry is None or entry.mode == TREE:
            return None
        ran = self._remote("cat-file", "blob", entry.id, exact=True, limit=_LARGEST_READ + 1000)
        data = ran.out.encode(errors="surrogateescape")
        if len(data) > _LARGEST_READ:
            raise Unknown(
                f"{clean(name)} on the branch has more than {_LARGEST_READ} bytes",
                where=self.pages.where,
                next_step=advice.CORRECT_VERSIONS_FILE(),
                retryable=False,
            )
        return data

    def add(self, folder: Path) -> str:
        """Add the files of a folder as objects, and return the id of their tree."""
        index = {"GIT_INDEX_FILE": str(self.scratch / "site-index")}
        at = (f"--git-dir={self.scratch}", f"--work-tree={folder}")
        settings = (*_PLAIN, "core.bare=false")
        self._git.run(
            *at, "add", "--all", "--force", "--", ".", cwd=folder, env=index, config=settings, timeout=_TIMEOUT
        )
        tree = self._git.run(*at, "write-tree", cwd=folder, env=index, config=settings).out.strip()
        remove(self.scratch / "site-index")
        return tree

    def push(self, change: PagesChange, *, dry_run: bool = False) -> PushOutcome:
        """Commit a change on top of the state, and push it with a lease on that state."""
        entries = dict(self.state.entries)
        for name, tree in change.folders.items():
            entries.pop(name, None)
            if tree:
                entries[name] = BranchEntry(mode=TREE, id=tree)
        for name, data in change.files.items():
            entries.pop(name, None)
            if data is not None:
                entries[name] = BranchEntry(mode=FILE, id=self._write("blob", data))
        tree = self._write("tree", tree_object(entries))
        old = self.state.commit
        parents = ("-p", old) if old else ()
        message = self.scratch / "message"
        message.write_text(change.message, "utf-8", newline="\n")
        made = self._git.run("commit-tree", *parents, "-F", str(message), tree, cwd=self.scratch, env=_IDENTITY)
        ref = f"refs/heads/{self.pages.branch}"
        lease, dry = f"--force-with-lease={ref}:{old}", ("--dry-run",) if dry_run else ()
        args = ("push", "--porcelain", "--no-follow-tags", "--no-verify", lease, *dry)
        try:
            ran = self._remote(*args, "--", _REMOTE, f"{made.out.strip()}:{ref}", fine=range(256))
        except Unknown as error:
            return PushOutcome(state=PushState.LOST, reason=error.what)
        return PushOutcome(state=PushState.DONE) if ran.code == 0 else read_outcome(ran)

    def _write(self, kind: str, data: bytes) -> str:
        """Write an object from a file, since a tree can be larger than what a program reads from its input at once."""
        path = self.scratch / "object"
        path.write_bytes(data)
        ran = self._git.run("hash-object", "-w", "--no-filters", "-t", kind, "--", str(path), cwd=self.scratch)
        return ran.out.strip()

    def former(self, tree: str) -> FormerPages | None:
        """Find the last commit that put a tree on the branch, by the trailer that each of our commits has."""
        if not self.state.commit:
            return None
        self._remote("fetch", "--quiet", _WHOLE, "--filter=tree:0", "--no-tags", _REMOTE, self.state.commit)
        form = f"--format=%H %P%x00%(trailers:key={_MARKER},valueonly,separator=%x20)"
        most = f"--max-count={_MOST_COMMITS}"
        out = self._git.run(
            "log", "--first-parent", "--no-decorate", most, form, self.state.commit, cwd=self.scratch
        ).out
        for line in out.splitlines():
            ids, _, said = line.partition("\0")
            folder, _, id_of = said.strip().partition(" ")
            if id_of != tree or not folder or "/" in folder:
                continue
            _, *parents = ids.split()
            if not parents:
                return FormerPages(folder=folder, before=PagesState())
            return FormerPages(folder=folder, before=PagesState(commit=parents[0], entries=self._entries(parents[0])))
        return None

    def _remote(
        self, *args: str, fine: range | tuple[int, ...] = (0,), exact: bool = False, limit: int = 20_000_000
    ) -> Ran:
        """Run git in the repository, where it may fetch what it lacks."""
        return self._git.run(
            *args,
            cwd=self.scratch,
            remote=True,
            env=self._variables,
            fine=fine,
            exact=exact,
            limit=limit,
            timeout=_TIMEOUT,
        )
