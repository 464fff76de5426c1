"""Keys of ssh and of OpenPGP sign a text with the real programs, verify it, and never ask."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.shells import shell_for_tests

from unmoor.adapters.keys import open_key
from unmoor.adapters.process.shell import LocalShell
from unmoor.errors import Denied
from unmoor.ports.key_signer import KeySigner

TEXT = b"0123  demo-1.0.tar.gz\n"
Open = Callable[[str], KeySigner]


@pytest.fixture(scope="module")
def shell() -> Iterator[LocalShell]:
    """The real shell."""
    with shell_for_tests() as shell:
        yield shell


def run(*args: str, **environ: str) -> str:
    """Run a program to make a key with."""
    done = subprocess.run(
        args, check=True, capture_output=True, text=True, env={**os.environ, **environ}, stdin=subprocess.DEVNULL
    )
    return done.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with keys of ssh, open and locked, and a keyring with two keys, of which the second is locked."""
    home = tmp_path_factory.mktemp("keys")
    if shutil.which("ssh-keygen"):
        for name, passphrase in (("open", ""), ("other", ""), ("locked", "secret")):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f", str(home / name))
    gnupg = home / "gnupg"
    gnupg.mkdir(mode=0o700)
    if shutil.which("gpg"):
        for name, passphrase in (("open@acme.test", ""), ("other@acme.test", ""), ("locked@acme.test", "secret")):
            options = ("--batch", "--homedir", str(gnupg), "--pinentry-mode", "loopback", "--passphrase", passphrase)
            run("gpg", *options, "--quick-generate-key", name, "ed25519", "sign", "never")
        run("gpgconf", "--homedir", str(gnupg), "--kill", "gpg-agent")
    yield home
    if shutil.which("gpgconf"):
        run("gpgconf", "--homedir", str(gnupg), "--kill", "gpg-agent")


@pytest.fixture
def opened(home: Path, shell: LocalShell) -> Open:
    """Open a key of that home."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "GNUPGHOME": str(home / "gnupg")}
    return lambda key: open_key(key, shell, home, environ)


def needs(key: str) -> None:
    """Skip a test without the program of a key."""
    program = "gpg" if key.startswith("gpg") else "ssh-keygen"
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}")


@pytest.mark.parametrize(
    ("key", "other"),
    [
        ("ssh:~/open", "ssh:other"),
        ("ssh:open", "ssh:~/other.pub"),
        ("gpg:open@acme.test", "gpg:other@acme.test"),
    ],
)
def test_a_signature_is_of_a_text_and_by_a_key(opened: Open, key: str, other: str) -> None:
    """It verifies for this text and this key, and for nothing else; garbage is a fault, and no error."""
    needs(key)
    signer = opened(key)
    signature = signer.sign(TEXT)
    assert signature.startswith(b"-----BEGIN ")
    assert signer.key == key
    assert signer.suffix == (".asc" if key.startswith("gpg") else ".sig")
    assert signer.fault(TEXT, signature) == ""
    assert signer.fault(TEXT + b"1", signature) != ""
    assert opened(other).fault(TEXT, signature) != ""
    for garbage in (b"", b"garbage", signature[: len(signature) // 2], b"\0" * 100):
        assert signer.fault(TEXT, garbage) != "", garbage


@pytest.mark.parametrize(
    ("key", "words", "advice"),
    [
        ("ssh:~/absent", "is not on this machine: ", "provide-signing-key"),
        ("ssh:~/locked", "cannot sign with .*locked, without asking anybody", "unlock-ssh-key"),
        ("ssh:~/only.pub", "without asking anybody", "unlock-ssh-key"),
        ("gpg:absent@acme.test", "gpg has no private key absent@acme.test", "provide-signing-key"),
        ("gpg:--version", "gpg has no private key --version", "provide-signing-key"),
        ("gpg:locked@acme.test", "cannot sign with locked@acme.test, without asking anybody", "unlock-gpg-key"),
    ],
)
def test_a_key_that_cannot_sign(opened: Open, home: Path, key: str, words: str, advice: str) -> None:
    """A missing or locked key, and one whose agent does not run, is one message that says what to do."""
    needs(key)
    if "only" in key:
        shutil.copy(home / "locked.pub", home / "only.pub")
    with pytest.raises(Denied, match=words) as raised:
        opened(key).sign(TEXT)
    assert raised.value.advice_ids == (advice,)


def test_a_public_half_is_read_from_the_key(opened: Open, home: Path) -> None:
    """Without a file beside it ssh-keygen reads the public half; of a locked key it cannot, and the error says so."""
    needs("ssh:")
    for name in ("open", "locked"):
        shutil.copy(home / name, home / f"{name}-alone")
        (home / f"{name}-alone").chmod(0o600)
    signer = opened("ssh:open-alone")
    assert signer.fault(TEXT, signer.sign(TEXT)) == ""
    with pytest.raises(Denied, match="public half") as raised:
        opened("ssh:locked-alone").fault(TEXT, b"")
    assert raised.value.advice_ids == ("write-public-key",)


def test_a_locked_key_that_an_agent_holds(home: Path, shell: LocalShell) -> None:
    """The agent signs for a locked key, whether the setting names the private or the public file."""
    needs("ssh:")
    if shutil.which("ssh-agent") is None or shutil.which("ssh-add") is None:
        pytest.skip("needs ssh-agent")
    socket = str(home / "agent")
    pid = re.findall(r"SSH_AGENT_PID=([0-9]+)", run("ssh-agent", "-s", "-a", socket))[0]
    try:
        ask = home / "ask"
        ask.write_text("#!/bin/sh\necho secret\n")
        ask.chmod(0o700)
        run("ssh-add", str(home / "locked"), SSH_AUTH_SOCK=socket, SSH_ASKPASS=str(ask), SSH_ASKPASS_REQUIRE="force")
        environ = {"PATH": os.environ["PATH"], "HOME": str(home), "SSH_AUTH_SOCK": socket}
        for key in ("ssh:~/locked", "ssh:~/locked.pub"):
            signer = open_key(key, shell, home, environ)
            assert signer.fault(TEXT, signer.sign(TEXT)) == ""
    finally:
        os.kill(int(pid), signal.SIGTERM)
