"""Sign and verify with gpg, and read its status lines instead of its messages. Source: doc/DETAILS of GnuPG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from unmoor import advice
from unmoor.adapters.process.variables import windows_variables
from unmoor.errors import Denied
from unmoor.filesystem.commands import quote
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.exit_codes import exit_code
from unmoor.ports.shell import Ran, Shell
from unmoor.util.text import clean

_PASSED = ("PATH", "HOME", "GNUPGHOME", "XDG_RUNTIME_DIR", "TMPDIR")
_OPTIONS = ("gpg", "--batch", "--no-tty", "--status-fd", "1")
_TIMEOUT = 60.0
_STATUS = "[GNUPG:] "
_FINGERPRINT = 9
"""The field of a line ``fpr`` that holds the fingerprint."""


@dataclass(frozen=True, kw_only=True)
class GpgKey:
    """A key in the keyring of the user; see `unmoor.ports.key_signer.KeySigner`."""

    shell: Shell
    environ: Mapping[str, str] = field(repr=False)
    name: str
    suffix: str = ".asc"

    @property
    def key(self) -> str:
        """The key as the settings name it."""
        return f"gpg:{self.name}"

    def sign(self, data: bytes) -> bytes:
        """Sign a text. Two signatures of one text differ, by their time."""
        self._fingerprints()
        with temporary_folder() as folder:
            text, signature = folder / "text", folder / "text.asc"
            text.write_bytes(data)
            ran = self._run(
                *("--pinentry-mode", "error", "--local-user", self.name, "--armor", "--detach-sign"),
                *("--output", str(signature), "--", str(text)),
                cwd=folder,
            )
            if ran.code or not signature.is_file():
                raise Denied(
                    f"gpg cannot sign with {clean(self.name)}, without asking anybody: {_last_line(ran)}",
                    next_step=advice.UNLOCK_GPG_KEY(key=quote(clean(self.name))),
                )
            return signature.read_bytes()

    def fault(self, data: bytes, signature: bytes) -> str:
        """Verify, and compare the fingerprint with those of the key."""
        known = self._fingerprints()
        with temporary_folder() as folder:
            text, file = folder / "text", folder / "text.asc"
            text.write_bytes(data)
            file.write_bytes(signature)
            ran = self._run("--verify", "--", str(file), str(text), cwd=folder)
        lines = [line.removeprefix(_STATUS).split() for line in ran.out.splitlines() if line.startswith(_STATUS)]
        valid = [line for line in lines if line[:1] == ["VALIDSIG"]]
        good = any(line[:1] == ["GOODSIG"] for line in lines)
        if ran.code or not good or len(valid) != 1:
            return _last_line(ran)
        if known.isdisjoint(valid[0][1:]):
            return f"it is by the key {clean(valid[0][-1], 60)}, and not by {clean(self.name)}"
        return ""

    def _fingerprints(self) -> frozenset[str]:
        """The fingerprints of the key and its subkeys. Raises `Denied` if its private half is not on this machine."""
        ran = self._run("--with-colons", "--list-secret-keys", "--", self.name, cwd=Path("/"))
        fields = (line.split(":") for line in ran.out.splitlines() if line.startswith("fpr:"))
        found = frozenset(each[_FINGERPRINT] for each in fields if len(each) > _FINGERPRINT)
        if ran.code or not found:
            raise Denied(
                f"the key of sign-with is not on this machine: gpg has no private key {clean(self.name)}",
                next_step=advice.PROVIDE_SIGNING_KEY(),
            )
        return found

    def _run(self, *args: str, cwd: Path) -> Ran:
        env = {name: self.environ[name] for name in _PASSED if name in self.environ} | {"LC_ALL": "C"}
        env |= windows_variables(self.environ)
        return self.shell.run((*_OPTIONS, *args), cwd=cwd, env=env, timeout=_TIMEOUT)


def _last_line(ran: Ran) -> str:
    lines = [line for line in ran.err.splitlines() if line.strip()]
    return clean(lines[-1], 300) if lines else exit_code(ran.code)
