"""Real registries on 127.0.0.1 with each kind of login, and small images for them."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import hashlib
import io
import json
import re
import select
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from tests.support.faulty_server import Exchange, run_server

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.registry import OciRegistry
from unmoor.artifacts import oci
from unmoor.images import oci_documents
from unmoor.ports.clock import Clock
from unmoor.ports.registry import OciManifest
from unmoor.ports.world import Login, RegistryPlace
from unmoor.util.secret import Secret

USER, PASSWORD = "pusher", "throw-away"
# bcrypt of the password above, the only format that the registry accepts.
_HTPASSWD = f"{USER}:$2b$04$abcdefghijklmnopqrstuuEfsxqlsG5nnIWPcTLNapNELfK8T.WbO\n"
_LISTENING = re.compile(rb"listening on (127\.0\.0\.1:[0-9]+)")
NO_LOGIN = Login(username="", secret=Secret(""), origin="nowhere")
LOGIN = Login(username=USER, secret=Secret(PASSWORD), origin="a test")


@dataclass(frozen=True)
class RealRegistry:
    """A running registry. ``denied`` are actions that its token server does not grant."""

    url: str
    login: Login
    denied: set[str] = field(default_factory=set)
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    def place(self, login: Login | None = None, host: str = "ghcr.io") -> RegistryPlace:
        """Return the registry as a world describes it, with the name of another host."""
        return RegistryPlace(host=host, address=self.url, login=self.login if login is None else login)

    def open(
        self,
        repository: str,
        http: BoundedSession,
        clock: Clock | None = None,
        *,
        login: Login | None = None,
        host: str = "ghcr.io",
    ) -> OciRegistry:
        """Return an adapter for a repository."""
        return OciRegistry(self.place(login, host), repository, http, clock)

    def request(self, method: str, path: str, **more: Any) -> requests.Response:
        """Send a request by plain HTTP, with basic authentication if the registry has a login."""
        auth = (self.login.username, self.login.secret.reveal()) if self.login.secret else None
        return requests.request(method, self.url + path, auth=auth, timeout=20, **more)

    def skopeo(self, *args: str) -> str:
        """Run skopeo, an independent client, and return its output. ``{}`` stands for the address of the registry."""
        login = f"{self.login.username}:{self.login.secret.reveal()}" if self.login.secret else ""
        command = [each.replace("{}", urlsplit(self.url).netloc) for each in args]
        verb, rest = command[0], command[1:]
        flags = {
            "inspect": ["--tls-verify=false", *(["--creds", login] if login else [])],
            "copy": [
                *("--src-tls-verify=false", "--dest-tls-verify=false"),
                *(["--src-creds", login, "--dest-creds", login] if login else []),
            ],
        }[verb]
        ran = subprocess.run(
            [_program("skopeo"), "--insecure-policy", verb, *flags, *rest],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


def _program(name: str) -> str:
    """Return the path of a program. Skip the test if it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@contextmanager
def run_registry(folder: Path, *, auth: str = "") -> Iterator[RealRegistry]:
    """Run a registry until the block ends. ``auth`` is empty, ``basic`` or ``token``."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        denied: set[str] = set()
        asked: list[dict[str, list[str]]] = []
        table = ""
        if auth == "basic":
            (folder / "htpasswd").write_text(_HTPASSWD)
            table = f"auth: {{htpasswd: {{realm: here, path: {folder / 'htpasswd'}}}}}\n"
        elif auth == "token":
            realm = stack.enter_context(_tokens(folder, denied, asked))
            table = (
                f"auth: {{token: {{realm: '{realm}', service: registry, issuer: tests,"
                f" rootcertbundle: {folder / 'root.pem'}}}}}\n"
            )
        (folder / "config.yml").write_text(
            "version: 0.1\n"
            "log: {level: info, formatter: json, accesslog: {disabled: true}}\n"
            f"storage: {{filesystem: {{rootdirectory: {folder / 'data'}}}, delete: {{enabled: true}},"
            " maintenance: {uploadpurging: {enabled: false}}}\n"
            "http: {addr: '127.0.0.1:0', secret: throw-away}\n" + table
        )
        address = stack.enter_context(_running(folder / "config.yml"))
        yield RealRegistry(f"http://{address}", LOGIN if auth else NO_LOGIN, denied, asked)


@contextmanager
def _running(config: Path) -> Iterator[str]:
    log = config.with_suffix(".log")
    with log.open("wb") as stream:
        process = subprocess.Popen([_program("docker-registry"), "serve", str(config)], stdout=stream, stderr=stream)
    try:
        ends = time.monotonic() + 20
        while not (found := _LISTENING.search(log.read_bytes())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < ends, log.read_text()
            select.select([], [], [], 0.01)
        yield found[1].decode()
    finally:
        process.kill()
        process.wait()


@contextmanager
def _tokens(folder: Path, denied: set[str], asked: list[dict[str, list[str]]]) -> Iterator[str]:
    """Run a token server like that of GHCR. Anonymous clients may pull, and the pusher gets all that is not denied."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=5))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "root.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    chain = [base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()]
    right = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    def script(it: Exchange) -> None:
        login = it.headers.get("Authorization", "")
        query = parse_qs(urlsplit(it.path).query)
        asked.append(query)
        if login not in {"", right}:
            it.answer(401, json.dumps({"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}))
            return
        access = []
        for scope in " ".join(query.get("scope", [])).split():
            kind, repository, actions = scope.split(":")
            mine = set(actions.split(",")) - denied if login else {"pull"} & set(actions.split(",")) - denied
            access.append({"type": kind, "name": repository, "actions": sorted(mine)})
        stamp = int(time.time())
        claims = {"iss": "tests", "sub": USER, "aud": "registry", "iat": stamp, "nbf": stamp - 60, "exp": stamp + 600}
        token = jwt.encode({**claims, "jti": "1", "access": access}, key, algorithm="RS256", headers={"x5c": chain})
        it.json({"token": token})

    with run_server(script) as server:
        yield f"{server.url}/token"


@dataclass(frozen=True, kw_only=True)
class BuiltImage:
    """An image that is on no registry yet: its parts and its manifest."""

    manifest: OciManifest
    config: bytes
    layers: tuple[bytes, ...]

    @property
    def id(self) -> str:
        """The id of the image in an engine: the digest of its configuration."""
        return oci.digest_of(self.config)


def make_image(
    content: str,
    *,
    platform: str = "linux/amd64",
    docker: bool = False,
    created: str = "",
    version: str = "",
    revision: str = "",
) -> BuiltImage:
    """Make an image with one file in one layer. ``version`` and ``revision`` become its labels."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        entry = tarfile.TarInfo("content")
        entry.size = len(content.encode())
        tar.addfile(entry, io.BytesIO(content.encode()))
    layer = gzip.compress(plain.getvalue(), mtime=0)
    system, architecture = platform.split("/")[:2]
    config = json.dumps(
        {
            "architecture": architecture,
            "os": system,
            "created": created or "2026-01-02T03:04:05Z",
            "config": {
                "Labels": {
                    "content": content,
                    "org.opencontainers.image.version": version,
                    **({"org.opencontainers.image.revision": revision} if revision else {}),
                }
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(plain.getvalue()).hexdigest()}"]},
        }
    ).encode()
    if docker:
        kinds = (oci.DOCKER_MANIFEST, "application/vnd.docker.container.image.v1+json")
        layer_kind = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    else:
        kinds = (oci.OCI_MANIFEST, "application/vnd.oci.image.config.v1+json")
        layer_kind = "application/vnd.oci.image.layer.v1.tar+gzip"
    document = {
        "schemaVersion": 2,
        "mediaType": kinds[0],
        "config": {"mediaType": kinds[1], "digest": oci.digest_of(config), "size": len(config)},
        "layers": [{"mediaType": layer_kind, "digest": oci.digest_of(layer), "size": len(layer)}],
    }
    data = json.dumps(document, indent=3).encode()
    manifest = OciManifest(data=data, digest=oci.digest_of(data), media_type=kinds[0])
    return BuiltImage(manifest=manifest, config=config, layers=(layer,))


def index_of(images: Sequence[tuple[str, BuiltImage]]) -> OciManifest:
    """Make an index of images by platform."""
    data, kind = oci_documents.index_over(
        oci_documents.IndexEntry(
            platform=platform,
            digest=each.manifest.digest,
            media_type=each.manifest.media_type,
            size=len(each.manifest.data),
        )
        for platform, each in images
    )
    return OciManifest(data=data, digest=oci.digest_of(data), media_type=kind)


def put_image(there: RealRegistry, repository: str, built: BuiltImage, *tags: str) -> str:
    """Upload an image by plain HTTP with its tags, or by digest if there are none. Return the digest."""
    for blob in (built.config, *built.layers):
        begun = there.request("POST", f"/v2/{repository}/blobs/uploads/")
        assert begun.status_code == 202, begun.text
        location = begun.headers["Location"]
        url = location.removeprefix(there.url)
        done = there.request("PUT", f"{url}{'&' if '?' in url else '?'}digest={oci.digest_of(blob)}", data=blob)
        assert done.status_code == 201, done.text
    return put_manifest(there, repository, built.manifest, *tags)


def put_manifest(there: RealRegistry, repository: str, manifest: OciManifest, *tags: str) -> str:
    """Upload a manifest by plain HTTP with its tags, or by digest if there are none. Return the digest."""
    for reference in tags or (manifest.digest,):
        headers = {"Content-Type": manifest.media_type}
        put = there.request("PUT", f"/v2/{repository}/manifests/{reference}", data=manifest.data, headers=headers)
        assert put.status_code == 201, put.text
        assert put.headers["Docker-Content-Digest"] == manifest.digest
    return manifest.digest


def write_layout(folder: Path, built: BuiltImage, tag: str) -> str:
    """Write an image as an OCI layout on disk, and return its reference for skopeo."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    for data in (built.config, *built.layers, built.manifest.data):
        (blobs / hashlib.sha256(data).hexdigest()).write_bytes(data)
    entry = {
        "mediaType": built.manifest.media_type,
        "digest": built.manifest.digest,
        "size": len(built.manifest.data),
        "annotations": {"org.opencontainers.image.ref.name": tag},
    }
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    return f"oci:{folder}:{tag}"
