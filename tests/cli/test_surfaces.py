"""What ``status`` and ``undo`` believe of the run folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.beliefs import SignatureList
from tests.support.sample_values import sample_release

from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.belief import Belief
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import RunFolder
from unmoor.cli.surfaces import own_manifest
from unmoor.errors import ConfigError, Denied, Unknown, UnmoorError
from unmoor.products import Dists

BUNDLE = b"a signature"


@pytest.mark.parametrize(
    ("fault", "counts", "said"),
    [
        ("", True, ""),
        ("it is of a branch", False, ""),
        (Unknown("no trusted keys"), False, "no trusted keys"),
        (Denied("no ID token"), False, "no ID token"),
        (ConfigError("no such file"), False, "no such file"),
    ],
)
def test_a_manifest_of_another_account(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str | UnmoorError, said: str, *, counts: bool
) -> None:
    """It counts for its signature; if that cannot be judged, the command goes on without it, and says why."""
    folder = RunFolder(tmp_path, Belief(signatures=SignatureList({BUNDLE: fault})))
    manifest = Manifest.of(sample_release(), Dists(files=()))
    (tmp_path / manifests.NAME).write_bytes(manifests.encode(manifest))
    (tmp_path / f"{manifests.NAME}.sigstore.json").write_bytes(BUNDLE)
    own = own_manifest(folder)
    assert own.manifest == (manifest if counts else None)
    printed = capsys.readouterr().err
    assert bool(printed) is bool(said)
    assert said in printed
