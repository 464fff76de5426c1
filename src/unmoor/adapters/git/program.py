"""The git program: its options, its environment, and what its failures mean."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from unmoor import advice
from unmoor.adapters.git.ownership import trust_command
from unmoor.adapters.process.variables import windows_variables, without_logins
from unmoor.advice import NOTHING
from unmoor.errors import Cause, Refused, TimedOut, Unknown, UnmoorError
from unmoor.filesystem.layout import NULL_OF_GIT
from unmoor.ports.exit_codes import exit_code
from unmoor.ports.failure import child_failure
from unmoor.ports.poll import program_time
from unmoor.ports.shell import Ran, Shell
from unmoor.util.text import clean

# Git runs no hooks, file system monitors, ext transport helpers or signing programs. It does not refresh, pack
# or delete anything, and its output does not depend on the user's settings.
OPTIONS: Final = (
    *("-c", f"core.hooksPath={NULL_OF_GIT}"),
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
    *("-c", "core.longPaths=true"),  # of Windows: more than 260 characters
)
"""Options of every call, before its command."""
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
# Variables that git needs to find its programs, settings and credential helpers. Variables that point git at
# another repository (GIT_DIR, GIT_INDEX_FILE …) or another identity are not on the list.
_ALLOWED: Final = re.compile(
    r"PATH|HOME|USER|LOGNAME|TMPDIR|XDG_(CONFIG|CACHE|DATA)_HOME|XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS"
    r"|SSL_CERT_(FILE|DIR)|CURL_CA_BUNDLE|(?i:(https?|all|no)_proxy)"
    r"|SSH_AUTH_SOCK|GIT_SSH(_COMMAND|_VARIANT)?|GIT_ASKPASS|GIT_SSL_\w+|GIT_PROXY_\w+|GIT_EXEC_PATH"
    r"|GIT_CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+)|GIT_ALLOW_PROTOCOL|GIT_CEILING_DIRECTORIES"
)
OWN_SETTINGS: Final = {
    "GIT_CONFIG_GLOBAL": str(Path(__file__).with_name("own.gitconfig")),
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "0",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_ALLOW_PROTOCOL": "file",
}
"""Variables that replace the settings of the user and of the machine. Git before 2.32 does not know the first."""
# Forge tokens, which credential helpers read. Git gets them only to talk to a remote.
_TOKENS: Final = re.compile(r"(GH|GITHUB)(_ENTERPRISE)?_TOKEN|GH_HOST|GH_CONFIG_DIR")
_LOGIN = re.compile(r"://[^/\s'\"]*@")


class GitProgram(msgspec.Struct, frozen=True, kw_only=True):
    """Runs git with argument lists. ``environ`` is the user's environment; git gets only an allow-list of it.

    ``patience`` is the most seconds to wait for a remote. ``own``: for clones of ours. The settings of the user and of
    the machine count only in calls to a remote.
    """

    shell: Shell
    environ: Mapping[str, str]
    timeout: float = 60.0
    patience: float = math.inf
    own: bool = False

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
        stdin: bytes = b"",
        exact: bool = False,
    ) -> Ran:
        """Run git to its end.

        ``fine`` lists the exit codes that are not failures, ``limit`` is in bytes and ``timeout`` in seconds.
        ``config`` lists settings for this call, such as ``core.bare=false``. ``exact`` is for content: see
        `unmoor.ports.shell.Shell.run`. The caller checks its length, since the limit only cuts it.

        Raises `Refused` if this is not a repository that git agrees to work in, `ToolMissing` if there is no git, and
        `Unknown` for every other failure, including a time-out and output beyond the limit.
        """
        what = f"git {args[0]}"
        within = program_time(timeout or self.timeout, self.patience if remote else math.inf)
        try:
            ran = self.shell.run(
                ("git", *OPTIONS, *(word for each in config for word in ("-c", each)), *args),
                cwd=cwd,
                env=variables(self.environ, remote=remote, own=self.own) | dict(env or {}),
                timeout=within,
                limit=limit,
                stdin=stdin,
                exact=exact,
            )
        except TimedOut as error:
            raise Unknown(
                f"{what} gave no answer within {within:g} s",
                where=str(cwd),
                next_step=advice.CHECK_REMOTE() if remote else NOTHING,
                otherwise=NOTHING if remote else advice.SHORTEN_GIT_OUTPUT(),
            ) from error
        if ran.code not in fine:
            failed = failure(what, ran, cwd)
            if remote and isinstance(failed, Unknown):
                failed.cause = Cause.LOST
            raise failed
        if not exact and (len(ran.out) >= limit or (len(ran.out) > limit // 4 and len(ran.out.encode()) >= limit)):
            raise Unknown(
                f"the output of {what} is longer than {limit} bytes",
                where=str(cwd),
                otherwise=advice.SHORTEN_GIT_OUTPUT(),
            )
        return ran


def variables(environ: Mapping[str, str], *, remote: bool = False, own: bool = False) -> dict[str, str]:
    """Return the environment of git: an allow-list, and variables that make it ask nobody and run no program.

    Only to talk to a ``remote`` it gets tokens, and the login of a proxy. In a clone of our ``own`` it gets the user's
    settings only for that, too.
    """
    allowed = {
        name: value if remote else without_logins(name, value)
        for name, value in environ.items()
        if _ALLOWED.fullmatch(name) or (remote and _TOKENS.fullmatch(name))
    }
    return windows_variables(environ) | allowed | _FIXED | (OWN_SETTINGS if own and not remote else {})


def failure(what: str, ran: Ran, cwd: Path) -> UnmoorError:
    """Return the error for a failed git command."""
    if (error := child_failure(ran, what, reports=True)) is not None:
        return error
    output = ran.err or ran.out
    if "dubious ownership" in output:
        return Refused(
            "the repository belongs to another user, so git refuses to work in it",
            where=str(cwd),
            next_step=advice.TRUST_REPOSITORY(command=trust_command(cwd, output)),
        )
    if "not a git repository" in output and "ls-remote" not in what:
        return Refused(
            "this folder is not in a git repository",
            where=str(cwd),
            next_step=advice.GO_TO_CHECKOUT(),
        )
    if "must be run in a work tree" in output:
        return Refused(
            "this is a bare repository or a .git folder: it has no checked out files",
            where=str(cwd),
            next_step=advice.GO_TO_CHECKOUT(),
        )
    return Unknown(
        f"{what} failed: {reason(output) or exit_code(ran.code)}",
        where=str(cwd),
        next_step=advice.FIX_WHAT_GIT_REPORTS(),
    )


def reason(output: str) -> str:
    """The lines of git's output that give the reason, without logins and fit for a terminal."""
    lines = [line for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("fatal:", "error:", "remote:", "ERROR:"))] or lines[-1:]
    return clean("; ".join(_LOGIN.sub("://", line) for line in errors[:3]))


def without_login(address: str) -> str:
    """The address without a password and, for http, without a user name. Safe to print and to store."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        return clean(address, 2000)
    authority, slash, path = rest.partition("/")
    login, at, host = authority.rpartition("@")
    if at and scheme.lower() in {"ssh", "git+ssh", "ssh+git"}:
        host = f"{login.partition(':')[0]}@{host}"
    return clean(f"{scheme}://{host}{slash}{path}", 2000)
