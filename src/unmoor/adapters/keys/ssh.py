"""Sign and verify with ssh-keygen (``-Y``), namespace ``file``. Source: ssh-keygen(1) and PROTOCOL.sshsig."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from unmoor import advice
from unmoor.adapters.process.variables import windows_variables
from unmoor.errors import Denied
from unmoor.filesystem.commands import agent_command, join, save_command
from unmoor.filesystem.layout import home_of
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.exit_codes import exit_code
from unmoor.ports.shell import Ran, Shell
from unmoor.util.text import clean

NAMESPACE = "file"
_PASSED = ("PATH", "HOME", "SSH_AUTH_SOCK", "SSH_SK_PROVIDER", "TMPDIR")
# There is no terminal, and no window may open.
_FIXED = {"LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"}
_TIMEOUT = 60.0
_SIGNER = "release"


@dataclass(frozen=True, kw_only=True)
class SshKey:
    """A key in a file, or in ssh-agent with its public half in a file; see `unmoor.ports.key_signer.KeySigner`."""

    shell: Shell
    environ: Mapping[str, str] = field(repr=False)
    name: str
    folder: Path
    suffix: str = ".sig"

    @property
    def key(self) -> str:
        """The key as the settings name it."""
        return f"ssh:{self.name}"

    @property
    def _file(self) -> Path:
        """The file of the key. Raises `Denied` if it is not there."""
        home, rest = home_of(self.environ), self.name.removeprefix("~/").removeprefix("~\\")
        path = self.folder / (home / rest if home is not None and rest != self.name else self.name)
        if not path.is_file():
            raise Denied(
                f"the key of sign-with is not on this machine: {clean(str(path), 1000)}",
                next_step=advice.PROVIDE_SIGNING_KEY(),
            )
        return path

    def sign(self, data: bytes) -> bytes:
        """Sign a text. ssh-keygen asks the agent first."""
        path = self._file
        ran = self._run("-Y", "sign", "-f", str(path), "-n", NAMESPACE, stdin=data)
        if ran.code or not ran.out.strip():
            raise Denied(
                f"ssh-keygen cannot sign with {clean(str(path), 1000)}, without asking anybody: {_last_line(ran)}",
                next_step=advice.UNLOCK_SSH_KEY(
                    command=agent_command(path.with_suffix("") if path.suffix == ".pub" else path)
                ),
            )
        return ran.out.replace("\r\n", "\n").encode()

    def fault(self, data: bytes, signature: bytes) -> str:
        """Verify with the public half of the key."""
        with temporary_folder() as folder:
            signers, file = folder / "signers", folder / "signature"
            signers.write_text(f'{_SIGNER} namespaces="{NAMESPACE}" {self._public()}\n', encoding="utf-8", newline="\n")
            file.write_bytes(signature)
            args = ("-Y", "verify", "-f", str(signers), "-I", _SIGNER, "-n", NAMESPACE, "-s", str(file))
            ran = self._run(*args, stdin=data)
        return _last_line(ran) if ran.code else ""

    def _public(self) -> str:
        """The public half: a file beside the key, or what ssh-keygen reads from it. Raises `Denied`."""
        path = self._file
        beside = path if path.suffix == ".pub" else path.with_name(f"{path.name}.pub")
        if beside.is_file():
            return " ".join(beside.read_text("utf-8", "replace").split()[:2])
        ran = self._run("-y", "-P", "", "-f", str(path))
        if ran.code:
            show = join(["ssh-keygen", "-y", "-f", clean(str(path), 1000)])
            raise Denied(
                f"cannot read the public half of {clean(str(path), 1000)}: {_last_line(ran)}",
                next_step=advice.WRITE_PUBLIC_KEY(command=save_command(show, path.with_name(f"{path.name}.pub"))),
            )
        return " ".join(ran.out.split()[:2])

    def _run(self, *args: str, stdin: bytes = b"") -> Ran:
        env = {name: self.environ[name] for name in _PASSED if name in self.environ} | _FIXED
        env |= windows_variables(self.environ)
        return self.shell.run(("ssh-keygen", *args), cwd=self.folder, env=env, timeout=_TIMEOUT, stdin=stdin)


def _last_line(ran: Ran) -> str:
    lines = [line for line in (ran.err or ran.out).splitlines() if line.strip()]
    return clean(lines[-1], 300) if lines else exit_code(ran.code)
