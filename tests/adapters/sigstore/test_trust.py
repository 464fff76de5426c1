"""The trust config: a file, or the public instance."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer._crypto_signer import CryptoSigner
from tests.support.immutable_releases import attested
from tuf.api._payload import Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.metadata import Metadata

from unmoor.adapters.sigstore.trust import GitHubTrust, Trust, TrustFiles
from unmoor.adapters.sigstore.verifier import SigstoreVerifier
from unmoor.errors import ConfigError, Denied, Unknown
from unmoor.rehearsal.sigstore import trust
from unmoor.rehearsal.sigstore.authority import Authority


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "there is no such file"),
        (b"", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"{}", "cannot be read"),
        (b"[]", "cannot be read"),
        (b"<html>", "cannot be read"),
        (b'{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}', "cannot be read"),
        (b"[" * 50_000, "cannot be read"),
    ],
)
def test_a_bad_file_is_named(data: bytes | None, says: str, tmp_path: Path) -> None:
    """The path is said, and what belongs there."""
    path = tmp_path / "trust.json"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ConfigError, match=says) as caught:
        Trust(path=str(path)).config()
    assert caught.value.where == str(path)
    assert "trustedRoot" in caught.value.next_step


def test_the_public_keys_may_be_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a connection they are unknown: those that sigstore was installed with may be revoked by now."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(Unknown, match=r"cannot get Sigstore.s trusted keys: .") as caught:
        Trust(path="").config()
    assert caught.value.next_step


def test_the_keys_need_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that cannot be made is no fault of the network."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(Denied, match="cannot keep Sigstore's trusted keys: Not a directory") as caught:
        Trust(path="").config()
    assert caught.value.where.startswith(str(tmp_path))
    assert caught.value.next_step


def test_files_with_trusted_roots(tmp_path: Path) -> None:
    """A client trust config, the root in it, and one root a line, as `gh attestation trusted-root` prints them."""
    config, root, lines = (tmp_path / name for name in ("config.json", "root.json", "roots.jsonl"))
    trust.write(config, Authority.open(tmp_path / "keys.json"), base="http://127.0.0.1:1", issuer="http://127.0.0.1:1")
    public = json.loads(config.read_bytes())["trustedRoot"]
    root.write_text(json.dumps(public, indent=2))
    _, own = attested(tmp_path / "forge", {})
    lines.write_text(f"{json.dumps(public)}\n\n{json.dumps(json.loads(own.read_bytes()))}\n")

    def authorities(*paths: Path) -> list[str]:
        roots = TrustFiles(paths=tuple(map(str, paths))).roots()
        return [each.get_fulcio_certs()[0].subject.rfc4514_string().rpartition("O=")[2] for each in roots]

    assert authorities(config) == authorities(root) == ["sigstore.dev"]
    assert authorities(lines) == authorities(root, own) == ["sigstore.dev", r"GitHub\, Inc."]


@pytest.mark.parametrize("data", [None, b"", b"\xff", b"{}", b"[]", b"<html>", b"{}\n{}", b"[" * 50_000])
def test_a_bad_trusted_root_is_named(data: bytes | None, tmp_path: Path) -> None:
    """The path is said, and what belongs there. A root without an authority is none."""
    path = tmp_path / "root.json"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ConfigError, match=r"the trusted root: (there is no such file|it cannot be read)") as caught:
        TrustFiles(paths=(str(path),)).roots()
    assert (caught.value.where, "gh attestation trusted-root" in caught.value.next_step) == (str(path), True)
    path.write_text('{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}')
    with pytest.raises(ConfigError):
        TrustFiles(paths=(str(path),)).roots()


@contextmanager
def tuf_repository(folder: Path, target: bytes) -> Iterator[tuple[str, Path]]:
    """Serve a TUF repository with one target. Gives its address, and the root to begin with."""
    signer, expires = CryptoSigner.generate_ed25519(), datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    targets, root = Targets(expires=expires), Root(expires=expires)
    targets.targets["trusted_root.json"] = TargetFile.from_data("trusted_root.json", target)
    for role in ("root", "timestamp", "snapshot", "targets"):
        root.add_key(signer.public_key, role)
    named: dict[str, Any] = {
        "1.root": root,
        "1.targets": targets,
        "1.snapshot": Snapshot(expires=expires),
        "timestamp": Timestamp(expires=expires),
    }
    for name, signed in named.items():
        metadata = Metadata(signed)
        metadata.sign(signer)
        metadata.to_file(str(folder / f"{name}.json"))
    (folder / "targets").mkdir()
    digest = targets.targets["trusted_root.json"].hashes["sha256"]
    (folder / "targets" / f"{digest}.trusted_root.json").write_bytes(target)
    handler = functools.partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", folder / "1.root.json"
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves a folder, and prints nothing."""

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def test_the_keys_of_a_forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are fetched from a root that this machine has, and each later list is signed; else they are unknown."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    bundle, root = attested(tmp_path / "forge", {})
    served = tmp_path / "tuf"
    served.mkdir()
    with tuf_repository(served, root.read_bytes()) as (url, first):
        trusted = GitHubTrust(url=url, first=first)
        checks = SigstoreVerifier(trust=TrustFiles(paths=("none",)), forge_trust=trusted)
        assert checks.forge_statement(bundle).predicate["tag"] == "v1.0"
        document = json.loads((served / "timestamp.json").read_bytes())
        document["signed"]["version"] += 1
        (served / "timestamp.json").write_text(json.dumps(document))
        with pytest.raises(Unknown, match="cannot get GitHub's trusted keys") as caught:
            GitHubTrust(url=url, first=first).roots()
        assert caught.value.where == url


def test_the_first_root_is_one_that_its_own_keys_signed() -> None:
    """Nobody has changed the root that is kept here."""
    kept: Metadata[Root] = Metadata.from_file(str(GitHubTrust().first))
    kept.signed.verify_delegate("root", kept.signed_bytes, kept.signatures)
    assert kept.signed.version == 9
