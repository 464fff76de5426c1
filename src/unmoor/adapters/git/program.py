"""The git program: how it is called, in which environment, and what its failures mean."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from unmoor.errors import Refused, TimedOut, Unknown, UnmoorError
from unmoor.ports.shell import Ran, Shell
from unmoor.util.text import clean

# Hooks, file system monitors, helpers of the ext transport and signing programs are never run;
# nothing is refreshed, packed or deleted on the way; output does not depend on the user's settings.
_OPTIONS: Final = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "protocol.ext.allow=never"),
    *("-c", "commit.gpgSign=false"),
    *("-c", "tag.gpgSign=false"),
    *("-c", "push.gpgSign=false"),
    *("-c", "log.showSignature=false"),
    *("-c", "gc.auto=0"),
    *("-c", "maintenance.auto=false"),
    *("-c", "color.ui=false"),
    *("-c", "advice.detachedHead=false"),
)
_FIXED: Final = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GCM_INTERACTIVE": "never",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": "false",
}
# What finds git, its settings and its credential helpers. Variables that would point git at another
# repository (GIT_DIR, GIT_INDEX_FILE …) or another identity are not among them.
_ALLOWED: Final = re.compile(
    r"PATH|HOME|USER|LOGNAME|TMPDIR|XDG_(CONFIG|CACHE|DATA)_HOME|XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS"
    r"|SSL_CERT_(FILE|DIR)|CURL_CA_BUNDLE|(?i:(https?|all|no)_proxy)"
    r"|SSH_AUTH_SOCK|GIT_SSH(_COMMAND|_VARIANT)?|GIT_ASKPASS|GIT_SSL_\w+|GIT_PROXY_\w+|GIT_EXEC_PATH"
    r"|GIT_CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+)|GIT_ALLOW_PROTOCOL|GIT_CEILING_DIRECTORIES"
)
# Tokens of the forge, which credential helpers look for; only calls to a remote see them.
_TOKENS: Final = re.compile(r"(GH|GITHUB)(_ENTERPRISE)?_TOKEN|GH_HOST|GH_CONFIG_DIR")
_LOGIN = re.compile(r"://[^/\s'\"]*@")


@dataclass(frozen=True, kw_only=True)
class GitProgram:
    """Runs git by argument lists. ``environ`` is the user's environment, of which an allow-list is kept."""

    shell: Shell
    environ: Mapping[str, str]
    timeout: float = 60.0

    def run(
        self,
        *args: str,
        cwd: Path,
        fine: Collection[int] = (0,),
        remote: bool = False,
        env: Mapping[str, str] | None = None,
        limit: int = 20_000_000,
        timeout: float | None = None,
        config: Sequence[str] = (),
    ) -> Ran:
        """Run git to its end. ``fine`` are the exit codes that are answers; ``limit`` in bytes, ``timeout`` in seconds.

        ``config`` are settings for this call, such as ``core.bare=false``.

        Raises `Refused` where this is no repository that git will work in, `Unknown` for every other
        failure, a time-out and an answer beyond the limit among them, and `ToolMissing`.
        """
        what = f"git {args[0]}"
        try:
            ran = self.shell.run(
                ("git", *_OPTIONS, *(word for each in config for word in ("-c", each)), *args),
                cwd=cwd,
                env=self._environment(remote=remote) | dict(env or {}),
                timeout=timeout or self.timeout,
                limit=limit,
            )
        except TimedOut as error:
            raise Unknown(
                f"{what} gave no answer within {timeout or self.timeout:g} s",
                where=str(cwd),
                next_step="see whether the remote can be reached",
            ) from error
        if ran.code not in fine:
            raise failure(what, ran, cwd)
        if len(ran.out) >= limit or (len(ran.out) > limit // 4 and len(ran.out.encode()) >= limit):
            raise Unknown(
                f"the answer of {what} is longer than {limit} bytes",
                where=str(cwd),
                otherwise="see what makes it so long: hundreds of thousands of tags or files, perhaps",
            )
        return ran

    def _environment(self, *, remote: bool) -> dict[str, str]:
        kept = {
            name: value
            for name, value in self.environ.items()
            if _ALLOWED.fullmatch(name) or (remote and _TOKENS.fullmatch(name))
        }
        return kept | _FIXED


def failure(what: str, ran: Ran, cwd: Path) -> UnmoorError:
    """Say what a failure of git means."""
    said = ran.err or ran.out
    if "dubious ownership" in said:
        return Refused(
            "the repository belongs to another user, so git will not work in it",
            where=str(cwd),
            next_step=f"if you trust it: git config --global --add safe.directory {cwd}",
        )
    if "not a git repository" in said and "ls-remote" not in what:
        return Refused(
            "this folder is not in a git repository",
            where=str(cwd),
            next_step="change to the checkout of the project, or clone it first",
        )
    if "must be run in a work tree" in said:
        return Refused(
            "this is a bare repository, or a repository's own folder: there are no files checked out",
            where=str(cwd),
            next_step="change to a checkout of the project",
        )
    return Unknown(
        f"{what} failed: {reason(said) or f'exit code {ran.code}'}",
        where=str(cwd),
        next_step="put right what git says",
    )


def reason(said: str) -> str:
    """The line of git's talk that says why, without logins and fit for a terminal."""
    lines = [line for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "remote:", "ERROR:"))] or lines[-1:]
    return clean("; ".join(_LOGIN.sub("://", line) for line in telling[:3]))


def without_login(address: str) -> str:
    """An address that may be shown and written down: no password, and for http no user either."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        return clean(address, 2000)
    authority, slash, path = rest.partition("/")
    login, at, host = authority.rpartition("@")
    if at and scheme.lower() in {"ssh", "git+ssh", "ssh+git"}:
        host = f"{login.partition(':')[0]}@{host}"
    return clean(f"{scheme}://{host}{slash}{path}", 2000)
