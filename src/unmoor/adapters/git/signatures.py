"""Verify the signature of an annotated tag with git and ssh-keygen or gpg, against a given list of signers.

The user's own keyring and allowed signers do not count: each call uses a temporary keyring or signers file.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from unmoor import advice
from unmoor.adapters.git.program import GitProgram
from unmoor.adapters.process.variables import windows_variables
from unmoor.advice import NOTHING, NextStep
from unmoor.errors import Refused, Unknown
from unmoor.filesystem.commands import quote
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.exit_codes import BROKEN_PIPE
from unmoor.util.text import clean, list_some

_ARMOUR: Final = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"
_GOOD: Final = re.compile(
    r'^(?:\[GNUPG:\] GOODSIG [0-9A-F]+ (?P<uid>.+)|Good "git" signature for (?P<principal>.+?) with .+)$', re.MULTILINE
)
_ANY_CODE: Final = range(256)


def signer(git: GitProgram, folder: Path, tag: str, allowed: bytes) -> str:
    """Return who signed a tag. ``allowed`` is an allowed signers file (ssh-keygen(1)), or armoured OpenPGP keys.

    Raises `Refused`, naming the allowed signers, if the tag is lightweight, is not signed by one of them, was changed
    after it was signed, or was signed under another name (a ref can be renamed, the signed name cannot). Raises
    `Unknown` if the keys cannot be read.
    """
    with temporary_folder() as home:
        names, signers_file = _write_keys(git, home, allowed)
        tag_object, kind, named = _tag_object(git, folder, tag)
        if kind != "tag":
            what = "is a lightweight tag here, which cannot be signed" if kind else "is not in this checkout"
            raise _refused(tag, what, names, first=advice.FETCH_ANNOTATED_TAG(tag=quote(tag)) if kind else NOTHING)
        if named != tag:
            raise _refused(tag, f"was signed under another name, {clean(named, 80)!r}", names)
        if "-----BEGIN" not in git.run("cat-file", "tag", tag_object, cwd=folder).out:
            raise _refused(tag, "is not signed", names)
        ran = git.run(
            *("-c", f"gpg.ssh.allowedSignersFile={signers_file}", "-c", "gpg.ssh.program=ssh-keygen"),
            *("-c", "gpg.program=gpg", "-c", "gpg.x509.program=false", "-c", "gpg.minTrustLevel=undefined"),
            *("verify-tag", "--raw", "--", tag_object),
            cwd=folder,
            # ssh-keygen may refuse a signature before git has written all of the tag to it.
            fine=(*_ANY_CODE, BROKEN_PIPE),
            env={"GNUPGHOME": str(home)},
        )
        output = f"{ran.out}\n{ran.err}"
        good = _GOOD.search(output)
        if ran.code != 0 or good is None:
            why = [line for line in output.split("\n") if line.strip() and not line.startswith("[GNUPG:] NEWSIG")]
            raise _refused(tag, f"has no valid signature ({clean('; '.join(why[:2])) or 'unknown'})", names)
        return clean(good["uid"] or good["principal"], 200)


def _tag_object(git: GitProgram, folder: Path, tag: str) -> tuple[str, str, str]:
    """Return the id and the type of the object that a tag's own ref names, and the name inside it. Empty if none.

    From here on only the id counts: git would look for the name in ``refs/`` and in the git directory first.
    """
    ref = f"refs/tags/{tag}"
    fields = "%(refname)%00%(objectname)%00%(objecttype)%00%(tag)"
    for line in git.run("for-each-ref", f"--format={fields}", ref, cwd=folder).out.split("\n"):
        name, _, rest = line.partition("\0")
        if name == ref:
            tag_object, kind, named = rest.split("\0")
            return tag_object, kind, named
    return "", "", ""


def _write_keys(git: GitProgram, home: Path, allowed: bytes) -> tuple[tuple[str, ...], Path]:
    """Write the allowed keys into ``home``. Returns the names of the allowed signers, and ssh's file of them."""
    signers_file = home / "allowed_signers"
    if _ARMOUR not in allowed:
        signers_file.write_bytes(allowed)
        lines = (line.split() for line in allowed.decode(errors="replace").splitlines() if not line.startswith("#"))
        return tuple(clean(words[0], 200) for words in lines if words), signers_file
    signers_file.write_bytes(b"")
    keys = home / "keys.asc"
    keys.write_bytes(allowed)
    env = {name: git.environ[name] for name in ("PATH", "HOME") if name in git.environ} | {"LC_ALL": "C"}
    env |= windows_variables(git.environ)
    gpg = ("gpg", "--batch", "--no-tty", "--no-autostart", "--homedir", str(home))
    imported = git.shell.run((*gpg, "--import", str(keys)), cwd=home, env=env, timeout=git.timeout)
    listed = git.shell.run((*gpg, "--with-colons", "--list-keys"), cwd=home, env=env, timeout=git.timeout)
    names = tuple(
        clean(line.split(":")[9], 200) for line in listed.out.split("\n") if line.startswith("uid:") and ":" in line
    )
    if imported.code != 0 or not names:
        raise Unknown(
            f"cannot read the keys of the allowed signers: {clean(imported.err, 300)}",
            next_step=advice.EXPORT_KEYS(),
            retryable=False,
        )
    return names, signers_file


def _refused(tag: str, what: str, names: tuple[str, ...], *, first: NextStep = NOTHING) -> Refused:
    who = list_some(names)
    return Refused(
        f"the tag {tag} {what}; tags of this project are signed by: {who or 'nobody, since the list is empty'}",
        next_step=first.then(advice.SIGN_A_TAG(tag=tag)),
    )
