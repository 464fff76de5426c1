"""Package indexes that companies run: devpi and pypiserver.

They need other versions of packages than the project, so uv installs them in a separate environment in ``.cache``. If
the installation fails, the test fails and is not skipped.
"""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".cache" / "indexes"
WANTED = ("devpi-server==6.20.3", "pypiserver[passlib]==2.4.2", "setuptools<81")
INSTALLING, STARTING = 120.0, 60.0
USER, PASSWORD = "root", "throw-away"


@dataclass(frozen=True, kw_only=True)
class PrivateIndex:
    """A private index: the addresses for uploads and of its simple pages."""

    upload: str
    simple: str

    @property
    def table(self) -> str:
        """The table ``[index]`` of a world file."""
        return (
            f'[index]\nname = "company"\nupload = "{self.upload}"\nsimple = "{self.simple}"\n'
            f'username = "{USER}"\npassword = "{PASSWORD}"\n'
        )


def installed_servers() -> Path:
    """Install the servers if they are missing, and return the folder with their programs."""
    ENVIRONMENT.parent.mkdir(exist_ok=True)
    stamp = ENVIRONMENT / "wanted"
    with ENVIRONMENT.with_suffix(".lock").open("w") as lock:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != "\n".join(WANTED):
            uv = Path(sys.executable).with_name("uv")
            python = ENVIRONMENT / "bin" / "python"
            commands: tuple[list[str | Path], ...] = (
                [uv, "venv", "--quiet", "--clear", "--python", sys.executable, ENVIRONMENT],
                [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, *WANTED],
            )
            for command in commands:
                subprocess.run(command, check=True, timeout=INSTALLING, cwd=ROOT)
            stamp.write_text("\n".join(WANTED))
    return ENVIRONMENT / "bin"


def _free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


@contextmanager
def _running(command: Sequence[str | Path], url: str, log: Path) -> Iterator[None]:
    """Run a server until the block ends. Fails if it does not answer in time."""
    with log.open("wb") as out:
        environ = {**os.environ, "PYTHONWARNINGS": "ignore"}
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environ)
    try:
        ends = time.monotonic() + STARTING
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < ends, log.read_text()
            try:
                requests.get(url, timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def devpi(folder: Path) -> Iterator[PrivateIndex]:
    """Run devpi with an index that does not allow files to be replaced."""
    programs, place = installed_servers(), folder / "devpi"
    given: list[str | Path] = ["--serverdir", place, "--root-passwd", PASSWORD, "--no-root-pypi"]
    subprocess.run([programs / "devpi-init", *given], check=True, capture_output=True, timeout=STARTING)
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    server: list[str | Path] = [programs / "devpi-server", "--serverdir", place, "--offline-mode", "--port", str(port)]
    with _running(server, url, folder / "devpi.log"):
        login = requests.post(f"{url}/+login", json={"user": USER, "password": PASSWORD}, timeout=20).json()["result"]
        auth = base64.b64encode(f"{USER}:{login['password']}".encode()).decode()
        index = {"type": "stage", "bases": [], "volatile": False}
        made = requests.put(f"{url}/root/prod", json=index, headers={"X-Devpi-Auth": auth}, timeout=20)
        made.raise_for_status()
        yield PrivateIndex(upload=f"{url}/root/prod/", simple=f"{url}/root/prod/+simple/")


@contextmanager
def pypiserver(folder: Path, *, hashes: bool = True, everywhere: bool = False) -> Iterator[PrivateIndex]:
    """Run pypiserver, which only has HTML pages, with or without hashes, and with or without a login for reading."""
    programs = installed_servers()
    (folder / "packages").mkdir()
    # The installation has no bcrypt. {SHA} is the format of htpasswd -s.
    digest = base64.b64encode(hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).digest()).decode()
    (folder / "htpasswd").write_text(f"{USER}:{{SHA}}{digest}\n")
    port = _free_port()
    asked = "update,download,list" if everywhere else "update"
    server: list[str | Path] = [
        programs / "pypi-server",
        "run",
        "-i",
        "127.0.0.1",
        "-p",
        str(port),
        "-P",
        folder / "htpasswd",
    ]
    server += ["-a", asked, "--disable-fallback", "--hash-algo", "sha256" if hashes else "off", folder / "packages"]
    url = f"http://127.0.0.1:{port}"
    with _running(server, url, folder / "pypiserver.log"):
        yield PrivateIndex(upload=f"{url}/", simple=f"{url}/simple/")
