"""Whose signature an annotated tag carries, judged by git with ssh-keygen or gpg, and by a list of ours alone.

The user's own keyring and allowed signers take no part: each look has its own, thrown away afterwards.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Final

from unmoor.adapters.git.program import GitProgram
from unmoor.errors import Refused, Unknown
from unmoor.util.text import clean

_ARMOUR: Final = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"
_GOOD: Final = re.compile(
    r'^(?:\[GNUPG:\] GOODSIG [0-9A-F]+ (?P<uid>.+)|Good "git" signature for (?P<principal>.+?) with .+)$', re.MULTILINE
)
_ANY_CODE: Final = range(256)


def signer(git: GitProgram, folder: Path, tag: str, allowed: bytes) -> str:
    """Return who signed a tag. ``allowed`` is ssh's allowed signers (ssh-keygen(1)), or armoured OpenPGP keys.

    Raises `Refused`, naming who may sign, where the tag is lightweight, has no signature or another's,
    was changed after it was signed, or was signed under another name (a ref can be renamed, its signature not).
    """
    with tempfile.TemporaryDirectory(prefix="unmoor-") as aside:
        home = Path(aside)
        names, ssh = _prepared(git, home, allowed)
        ref = f"refs/tags/{tag}"
        said = git.run("for-each-ref", "--format=%(refname)%00%(objecttype)%00%(tag)", ref, cwd=folder).out
        sort, named = next((line.split("\0")[1:] for line in said.split("\n") if line.startswith(f"{ref}\0")), ("", ""))
        if sort != "tag":
            again = f"git fetch --force origin refs/tags/{tag}:refs/tags/{tag}"
            what = "is a lightweight tag here, which cannot be signed" if sort else "is not here"
            raise _refused(tag, what, names, first=f"{again}; if that changes nothing, " if sort else "")
        if named != tag:
            raise _refused(tag, f"was signed under another name, {clean(named, 80)!r}", names)
        if "-----BEGIN" not in git.run("cat-file", "tag", ref, cwd=folder).out:
            raise _refused(tag, "is not signed", names)
        ran = git.run(
            *("-c", f"gpg.ssh.allowedSignersFile={ssh}", "-c", "gpg.ssh.program=ssh-keygen"),
            *("-c", "gpg.program=gpg", "-c", "gpg.x509.program=false", "-c", "gpg.minTrustLevel=undefined"),
            *("verify-tag", "--raw", "--", tag),
            cwd=folder,
            fine=_ANY_CODE,
            env={"GNUPGHOME": str(home)},
        )
        told = f"{ran.out}\n{ran.err}"
        good = _GOOD.search(told)
        if ran.code != 0 or good is None:
            why = [line for line in told.split("\n") if line.strip() and not line.startswith("[GNUPG:] NEWSIG")]
            raise _refused(tag, f"carries no signature that counts ({clean('; '.join(why[:2])) or 'unknown'})", names)
        return clean(good["uid"] or good["principal"], 200)


def _prepared(git: GitProgram, home: Path, allowed: bytes) -> tuple[tuple[str, ...], Path]:
    """Write down what counts; return who may sign, and ssh's file."""
    ssh = home / "allowed_signers"
    if _ARMOUR not in allowed:
        ssh.write_bytes(allowed)
        lines = (line.split() for line in allowed.decode(errors="replace").splitlines() if not line.startswith("#"))
        return tuple(clean(words[0], 200) for words in lines if words), ssh
    ssh.write_bytes(b"")
    keys = home / "keys.asc"
    keys.write_bytes(allowed)
    env = {name: git.environ[name] for name in ("PATH", "HOME") if name in git.environ} | {"LC_ALL": "C"}
    gpg = ("gpg", "--batch", "--no-tty", "--no-autostart", "--homedir", str(home))
    imported = git.shell.run((*gpg, "--import", str(keys)), cwd=home, env=env, timeout=git.timeout)
    listed = git.shell.run((*gpg, "--with-colons", "--list-keys"), cwd=home, env=env, timeout=git.timeout)
    names = tuple(
        clean(line.split(":")[9], 200) for line in listed.out.split("\n") if line.startswith("uid:") and ":" in line
    )
    if imported.code != 0 or not names:
        raise Unknown(
            f"the keys of who may sign cannot be read: {clean(imported.err, 300)}",
            next_step="export them with: gpg --armor --export",
            retryable=False,
        )
    return names, ssh


def _refused(tag: str, what: str, names: tuple[str, ...], *, first: str = "") -> Refused:
    who = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")  # noqa: PLR2004 - a line
    return Refused(
        f"the tag {tag} {what}; tags of this project are signed by: {who or 'nobody, since the list is empty'}",
        next_step=f"{first}let one of them tag a new version: git tag -s TAG; only if {tag} was never released,"
        " delete it and sign it anew",
    )
