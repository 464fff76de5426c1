"""One registry of the local world: its folder, its configuration, and whether it answers."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

import msgspec

from unmoor.adapters.process.sockets import connect_to_file
from unmoor.filesystem.files import write_atomic
from unmoor.filesystem.safe_folder import make_folder, open_regular
from unmoor.rehearsal.registry.tokens import ISSUER

LOG_TAIL = 1000


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """The folder of one registry: its storage, its configuration, and its control files."""

    folder: Path
    host: str

    @property
    def repositories(self) -> Path:
        """The folder of the registry's repositories, each in a folder of its name."""
        return self.folder / "storage" / "docker" / "registry" / "v2" / "repositories"

    @property
    def socket(self) -> str:
        """The socket's path, relative to the current folder if that is shorter: the system allows 107 bytes."""
        path = str(self.folder / "socket")
        # The folder may be below the current one only after links are resolved.
        return min(path, os.path.relpath(os.path.realpath(path), Path.cwd()), key=len)

    @property
    def log(self) -> Path:
        """The path of the registry's log."""
        return self.folder / "registry.log"

    def listens(self) -> bool:
        """Whether the registry answers."""
        try:
            connect_to_file(self.socket).close()
        except OSError:
            return False
        return True

    def end_of_log(self) -> str:
        """Return the end of the registry's log, safe for a terminal."""
        with open_regular(self.log) as stream:
            text = stream.read()[-LOG_TAIL:].decode(errors="replace")
        return "".join(char if char.isprintable() else " " for char in text).strip() or "no output"

    def configure(self, *, address: str, certificate: bytes) -> None:
        """Write the registry's configuration; ``address`` is the proxy's."""
        make_folder(self.folder, mode=0o700)
        bundle = self.folder / "root.pem"
        settings = {
            "version": "0.1",
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(self.folder / "storage")},
                "delete": {"enabled": True},
                "maintenance": {"uploadpurging": {"enabled": False}},
            },
            # With the host, the registry's answers contain the proxy's addresses.
            "http": {"net": "unix", "addr": "socket", "host": address, "secret": secrets.token_hex(16)},
            "auth": {
                "token": {
                    "realm": f"{address}/token",
                    "service": self.host,
                    "issuer": ISSUER,
                    "rootcertbundle": str(bundle),
                }
            },
        }
        write_atomic(bundle, certificate)
        # JSON is valid YAML.
        write_atomic(self.folder / "config.yml", json.dumps(settings, indent=1).encode(), mode=0o600)
