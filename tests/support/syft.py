"""Programs that stand in for syft, and the archive of an image with a package in it."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

REPORT: dict[str, Any] = {
    "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "serialNumber": "urn:uuid:c0ef2b58-e00f-4698-b206-d649dc5f1e34",
    "version": 1,
    "metadata": {
        "timestamp": "2026-11-28T23:50:07Z",
        "tools": {"components": [{"type": "application", "author": "anchore", "name": "syft", "version": "1.18.1"}]},
        "component": {
            "bom-ref": "ddcb2151045905f2",
            "type": "container",
            "name": "image.tar",
            "version": "sha256:95f2",
        },
    },
    "components": [
        {"bom-ref": "pkg:pypi/demo@1.0", "type": "library", "name": "demo", "version": "1.0"},
        {"bom-ref": "os:debian@12", "type": "operating-system", "name": "debian", "version": "12"},
    ],
    "dependencies": [{"ref": "pkg:pypi/demo@1.0", "dependsOn": ["os:debian@12", "b", "a"]}],
}
"""What syft 1.18 prints about an image, shortened."""


def syft_stand_in(folder: Path, script: str = "") -> Path:
    """Write a program called syft, and return its folder. Without a script it prints `REPORT`."""
    programs = folder / "programs"
    programs.mkdir()
    program = programs / "syft"
    default = f"cat <<'END'\n{json.dumps(REPORT)}\nEND"
    program.write_text(f"#!/bin/sh\n{script or default}\n")
    program.chmod(0o755)
    return programs


def docker_archive(path: Path) -> None:
    """Write an image with one Python package, as an engine saves it."""
    info = "usr/lib/python3/site-packages/demo-1.0.dist-info"
    metadata = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"
    layer = _tar({f"{info}/METADATA": metadata, f"{info}/RECORD": b"", "etc/os-release": b"ID=debian\n"})
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [],
    }
    manifest = [{"Config": "config.json", "RepoTags": None, "Layers": ["0/layer.tar"]}]
    path.write_bytes(
        _tar(
            {
                "config.json": json.dumps(config).encode(),
                "0/layer.tar": layer,
                "manifest.json": json.dumps(manifest).encode(),
            }
        )
    )


def _tar(files: Mapping[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return written.getvalue()
