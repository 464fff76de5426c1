"""Files of another machine are taken over by the manifest that names them, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support import sample_values
from tests.support.beliefs import given

from unmoor.artifacts import manifest as manifests
from unmoor.artifacts import run_dir
from unmoor.artifacts.files import describe_file
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.merge import Handover
from unmoor.artifacts.run_dir import RunFolder
from unmoor.errors import Conflict, Incomplete, Refused, Unknown
from unmoor.products import Dists
from unmoor.util.values import replace

RELEASE = sample_values.sample_release()


@pytest.fixture
def handed(tmp_path: Path) -> Path:
    """A folder with two files and their manifest."""
    folder = tmp_path / "handed"
    folder.mkdir()
    files = []
    for name in ("small_one-1.0-cp39-cp39-win32.whl", "small_one-1.0.tar.gz"):
        (folder / name).write_bytes(name.encode())
        files.append(describe_file(folder / name))
    manifest = Manifest.of(RELEASE, Dists(files=tuple(files)))
    (folder / manifests.NAME).write_bytes(manifests.encode(manifest))
    (folder / "stray-1.0.tar.gz").write_bytes(b"not named")
    return folder


def test_taken_whole(handed: Path, tmp_path: Path) -> None:
    """What the manifest names is copied with it, twice to the same end; what it does not name stays behind."""
    folder = RunFolder(tmp_path / "run", given(handed / manifests.NAME))
    for _ in range(2):
        folder.take([Handover.of(handed)])
    manifest = folder.read_manifest()
    assert manifest is not None
    names = [artifact.name for artifact in manifest.artifacts]
    assert sorted(path.name for path in folder.dists.iterdir()) == sorted(names)
    assert manifests.encode(manifest) == (handed / manifests.NAME).read_bytes()


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        ("manifest", Incomplete, "there is no manifest"),
        ("garbage", Unknown, "not a manifest"),
        ("no UTF-8", Unknown, "not a manifest"),
        ("missing", Incomplete, "is missing"),
        ("other", Conflict, "the manifest says"),
    ],
)
def test_not_taken(handed: Path, tmp_path: Path, spoil: str, error: type[Exception], words: str) -> None:
    """Without a manifest, a file, or its very bytes, nothing counts, and no manifest vouches for what was copied."""
    sdist, manifest = handed / "small_one-1.0.tar.gz", handed / manifests.NAME
    match spoil:
        case "manifest":
            manifest.unlink()
        case "garbage":
            manifest.write_text("[]")
        case "no UTF-8":
            manifest.write_bytes(manifest.read_bytes().replace(b"small-one", b"small\xffone", 1))
        case "missing":
            sdist.unlink()
        case _:
            sdist.write_bytes(b"x" * sdist.stat().st_size)
    folder = RunFolder(tmp_path / "run", given(*(path for path in [manifest] if path.exists())))
    with pytest.raises(error, match=words):
        folder.take([Handover.of(handed, manifest)])
    assert folder.read_manifest() is None


def test_other_files_are_there_already(handed: Path, tmp_path: Path) -> None:
    """A folder that holds another build of the tag is never overwritten."""
    folder = RunFolder(tmp_path / "run", given(handed / manifests.NAME))
    manifest = manifests.decode((handed / manifests.NAME).read_bytes(), where="x")
    folder.write_manifest(replace(manifest, artifacts=manifest.artifacts[:1]))
    with pytest.raises(Conflict, match="other files of the tag"):
        folder.take([Handover.of(handed)])
    assert not folder.dists.exists()


def test_what_killed_runs_left_is_swept(tmp_path: Path) -> None:
    """Half-written files and folders go; everything else stays."""
    folder = RunFolder.of(tmp_path, "v1.0")
    name = "0123456789abcdef"
    for place in (folder.path, folder.dists, folder.assets, folder.path / "proofs"):
        place.mkdir(parents=True)
        (place / f".{name}.part").touch()
        for kept in ("one.whl", f"{name}.part", ".part", f".{name}.parts"):
            (place / kept).touch()
    (folder.path / f".dists-{name}" / "deep").mkdir(parents=True)
    folder.sweep()
    left = {path.name for path in folder.path.rglob("*") if path.is_file()}
    assert left == {"one.whl", f"{name}.part", ".part", f".{name}.parts"}
    assert not (folder.path / f".dists-{name}").exists()


def test_a_log_holds_every_line_but_secrets(tmp_path: Path) -> None:
    """A log is replaced by the next one of its name, only its user can read it, and it vouches for nothing."""
    folder = RunFolder(tmp_path / ".unmoor" / "v1.0")
    for lines in (["old"] * 3, ["one", f"token ghp_{'a' * 36}", "[1mtwo"]):
        with folder.open_log("tests-a.log") as write:
            for line in lines:
                write(line)
    log = folder.log("tests-a.log")
    assert log.read_text() == "one\n[a line with a GitHub token is left out]\n[1mtwo\n"
    assert log.stat().st_mode & 0o777 == 0o600
    assert folder.unvouched() == ()
    folder.remove_logs()
    folder.remove_logs()
    assert not log.parent.exists()
    log.parent.symlink_to(tmp_path)
    with pytest.raises(Refused), folder.open_log("tests-a.log"):
        pass


def test_a_log_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a suite prints without end does not fill the disk."""
    monkeypatch.setattr(run_dir, "_LONGEST_LOG", 10)
    folder = RunFolder(tmp_path / "run")
    with folder.open_log("a.log") as write:
        for line in ("12345", "6789", "more", "more"):
            write(line)
    assert folder.log("a.log").read_text() == "12345\n6789\n[the rest is left out]\n"
