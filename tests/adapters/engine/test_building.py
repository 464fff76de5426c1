"""The programs that build images find the user's plug-ins, builders and logins."""

from __future__ import annotations

import os
from pathlib import Path

from unmoor.adapters.engine.building import BUILDX, Building
from unmoor.adapters.engine.connection import Connection, _Engine
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes

CLIENT = '#!/bin/sh\n[ "$1 $2" = "buildx version" ] && { env > "$HOME/seen"; echo github.com/docker/buildx v0.30.0; }\n'


def test_the_client_finds_the_users_settings(tmp_path: Path, shell: LocalShell, processes: Processes) -> None:
    """It gets HOME, its own variables and the login of a proxy, and no other credential."""
    client = tmp_path / "bin" / "docker"
    client.parent.mkdir()
    client.write_text(CLIENT)
    client.chmod(0o755)
    environ = {
        "PATH": f"{client.parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "DOCKER_CONFIG": str(tmp_path / "docker"),
        "BUILDX_BUILDER": "mine",
        "HTTPS_PROXY": "http://someone:s3cret@proxy:3128",
        "GITHUB_TOKEN": "t0ken",
    }
    engine = _Engine(address="unix:///none", settings={}, version="1.50", podman=False, api=None)
    connection = Connection(processes=processes, environ=environ, _engines=[engine])
    builder = Building(connection=connection, shell=shell, timeout=60.0).builder()
    assert (builder.kind, builder.command[0]) == (BUILDX, str(client))
    seen = dict(line.split("=", 1) for line in (tmp_path / "seen").read_text().splitlines())
    assert {name: seen.get(name) for name in environ} == {**environ, "GITHUB_TOKEN": None}
