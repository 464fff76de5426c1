"""A registry client over plain HTTP. Source: the distribution specification."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
KINDS = (
    MANIFEST,
    INDEX,
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
"""Without Docker's own types, docker-registry rewrites such a manifest in its oldest format."""
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
_FIELD = re.compile(r'([a-z]+)="([^"]*)"')


def digest_of(data: bytes) -> str:
    """Return the digest of some bytes, as registries write it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass(frozen=True, kw_only=True)
class RegistryClient:
    """A client of one registry. ``password`` is empty for an anonymous one."""

    base: str
    folder: Path
    password: str
    session: requests.Session = field(default_factory=requests.Session)

    def token(self, *scopes: str, **how: Any) -> requests.Response:
        """Request a token."""
        how = {"auth": ("anybody", self.password)} | how if self.password else how
        return self.session.get(f"{self.base}/token", params={"service": "x", "scope": scopes}, timeout=20, **how)

    def call(self, method: str, path: str, **how: Any) -> requests.Response:
        """Send a request, and repeat it with the token that the registry requires."""
        address = path if path.startswith("http") else f"{self.base}/v2/{path}"
        answer = self.session.request(method, address, timeout=20, **how)
        if answer.status_code != 401:
            return answer
        challenge = dict(_FIELD.findall(answer.headers["www-authenticate"]))
        assert challenge["realm"] == f"{self.base}/token"
        given = self.token(*challenge.get("scope", "").split())
        if given.status_code != 200:
            return given
        headers = {**how.pop("headers", {}), "Authorization": f"Bearer {given.json()['token']}"}
        return self.session.request(method, address, timeout=20, headers=headers, **how)

    def begin(self, name: str) -> requests.Response:
        """Open an upload session."""
        return self.call("POST", f"{name}/blobs/uploads/")

    def blob(self, name: str, data: bytes, *, pieces: int = 1) -> str:
        """Put a blob, in one request, or in several with bodies of unknown length."""
        answer = self.begin(name)
        assert answer.status_code == 202, answer.text
        where = answer.headers["location"]
        assert where.startswith(f"{self.base}/v2/{name}/blobs/uploads/")
        size = -(-len(data) // pieces)
        # A body that was sent once cannot be sent again with a token.
        bearer = {"Authorization": f"Bearer {self.token(f'repository:{name}:pull,push').json()['token']}"}
        for start in range(0, len(data), size) if pieces > 1 else ():
            answer = self.call("PATCH", where, data=_parts(data[start : start + size]), headers=bearer)
            assert answer.status_code == 202, answer.text
            where = answer.headers["location"]
            assert answer.headers["range"] == f"0-{min(start + size, len(data)) - 1}"
        digest = digest_of(data)
        body = {} if pieces > 1 else {"data": data, "headers": {"Content-Type": "application/octet-stream"}}
        answer = self.call("PUT", f"{where}&digest={digest}", **body)
        assert answer.status_code == 201, answer.text
        assert answer.headers["docker-content-digest"] == digest
        assert answer.headers["location"] == f"{self.base}/v2/{name}/blobs/{digest}"
        return digest

    def put(self, name: str, reference: str, manifest: dict[str, Any]) -> requests.Response:
        """Put a manifest."""
        headers = {"Content-Type": manifest["mediaType"]}
        return self.call("PUT", f"{name}/manifests/{reference}", data=json.dumps(manifest).encode(), headers=headers)

    def image(self, name: str, data: bytes) -> dict[str, Any]:
        """Push the blobs of a tiny image, and return its manifest."""
        config = json.dumps(
            {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}
        ).encode()
        return {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": self.blob(name, config), "size": len(config)},
            "layers": [{"mediaType": LAYER, "digest": self.blob(name, data), "size": len(data)}],
        }

    def push(self, name: str, data: bytes, *tags: str) -> str:
        """Push a tiny image under some tags, and return its digest."""
        manifest = self.image(name, data)
        for tag in tags:
            answer = self.put(name, tag, manifest)
            assert answer.status_code == 201, answer.text
        return digest_of(json.dumps(manifest).encode())

    def pull(self, name: str, reference: str, method: str = "GET") -> requests.Response:
        """Read a manifest."""
        return self.call(method, f"{name}/manifests/{reference}", headers={"Accept": ", ".join(KINDS)})

    def control(self, name: str, text: str = "") -> Path:
        """Write a control file."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path


def _parts(data: bytes) -> Iterator[bytes]:
    """Yield a body of unknown length."""
    half = len(data) // 2
    yield data[:half]
    yield data[half:]


def error(answer: requests.Response) -> tuple[int, str, str]:
    """Return the status, code and message of a refusal."""
    (only,) = answer.json()["errors"]
    return answer.status_code, only["code"], only["message"]
