"""What the local forge signs about an immutable release, without the forge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from unmoor.rehearsal.github.release_signer import ReleaseSigner
from unmoor.rehearsal.github.releases import Asset, Release
from unmoor.rehearsal.shared.store import Digests

OBJECT = "b" * 40


def attested(folder: Path, digests: Mapping[str, str], *, tag: str = "v1.0", sha: str = OBJECT) -> tuple[bytes, Path]:
    """Return the bundle about a release of these assets (name to sha256), and the path of its trusted root."""
    signer = ReleaseSigner(folder=folder / "attestations", trust=folder / "root.json", repository="acme/demo")
    assets = [
        Asset(
            id=number,
            name=name,
            label=None,
            content_type="",
            state="uploaded",
            created_at="",
            updated_at="",
            digests=Digests(md5="", sha256=digest, blake2="", size=1),
        )
        for number, (name, digest) in enumerate(digests.items(), 1)
    ]
    release = Release(
        id=1,
        tag=tag,
        target="",
        name=None,
        body=None,
        draft=False,
        prerelease=False,
        slug="",
        created_at="",
        updated_at="",
        assets=tuple(assets),
    )
    signer.attest(release, sha)
    return json.dumps(signer.bundle(tag)).encode(), signer.trust
