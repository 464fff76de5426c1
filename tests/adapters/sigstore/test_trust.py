"""The trust config: a file, or the public instance."""

from __future__ import annotations

from pathlib import Path

import pytest

from unmoor.adapters.sigstore.trust import Trust
from unmoor.errors import ConfigError, Denied, Unknown


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
