"""Every advice about built files, and about files that another machine or tool built, leads to files that count."""

from __future__ import annotations

import io
import re
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from tests.rehearsal.test_rehearsal_tag import Checkout, choose, static
from tests.support.advice_walks import Place, Walk, also, keep, walk
from tests.support.sample_values import sample_release

from unmoor.adapters.process.shell import LocalShell
from unmoor.artifacts.belief import Belief
from unmoor.artifacts.files import copy_into, describe_file
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.merge import Handover
from unmoor.artifacts.run_dir import RunFolder
from unmoor.cli import built_elsewhere
from unmoor.cli.run_options import FileOptions
from unmoor.dists import inspect, unpacking
from unmoor.dists.testing.install_test import assign_interpreters
from unmoor.filesystem.names import windows_fault
from unmoor.ports.environments import Interpreter
from unmoor.products import Dists, File
from unmoor.util.values import replace

SDIST = "small_one-1.0.tar.gz"


def sdist(place: Place, *links: tuple[str, str], count: int = 1) -> None:
    """Write an sdist with these symbolic links, and some files."""
    with tarfile.open(place.folder / SDIST, "w:gz") as archive:
        for number in range(count):
            archive.addfile(tarfile.TarInfo(f"small_one-1.0/{number}"), io.BytesIO())
        for name, target in links:
            member = tarfile.TarInfo(f"small_one-1.0/{name}")
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)


def _extract(place: Place) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inspect, "COUNT_LIMIT", 3)
        patch.setattr(unpacking, "local_fault", windows_fault)
        return inspect.extract(place.folder / SDIST, place.folder / f"into-{len(list(place.folder.iterdir()))}")


def _named(place: Place) -> object:
    return copy_into(place.kept["path"], place.folder / "out")


def _file(name: str) -> Callable[..., None]:
    def begin(place: Place, *_: str) -> None:
        (place.folder / "out").mkdir(exist_ok=True)
        path = place.folder / name
        path.write_bytes(b"x")
        place.kept["path"] = path

    return begin


def handed_over(place: Place) -> None:
    """A folder with a wheel, an sdist, and their manifest, whose sha256 is passed."""
    folder = place.folder / "handed"
    folder.mkdir()
    for name in ("small_one-1.0-py3-none-any.whl", SDIST):
        (folder / name).write_bytes(name.encode())
    files = tuple(describe_file(folder / name) for name in ("small_one-1.0-py3-none-any.whl", SDIST))
    manifest = Manifest.of(sample_release(), Dists(files=files))
    own = RunFolder(folder, Belief())
    own.write_manifest(manifest)
    place.kept |= {"handed": folder, "data": (folder / SDIST).read_bytes(), "manifest": manifest}
    place.kept["run"] = RunFolder(place.folder / "run", own.belief)


def _lose(place: Place) -> None:
    (place.kept["handed"] / SDIST).unlink()


def _hand_over(place: Place, text: str) -> None:
    assert "hand over exactly the files that were built" in text
    (place.kept["handed"] / SDIST).write_bytes(place.kept["data"])


def _take(place: Place) -> object:
    place.kept["run"].take([Handover.of(place.kept["handed"])])
    return None


def _hold_others(place: Place) -> None:
    manifest = place.kept["manifest"]
    place.kept["run"].write_manifest(replace(manifest, artifacts=manifest.artifacts[:1]))


def _remove_others(place: Place, text: str) -> None:
    assert text.startswith("remove the folder")
    shutil.rmtree(place.kept["run"].path)


def _given(place: Place) -> object:
    inside = place.folder / ".unmoor" / "rehearsal"
    built_elsewhere.refuse_inside(FileOptions(prebuilt=place.kept["built"]), inside)
    return built_elsewhere.read(FileOptions(prebuilt=place.kept["built"]), place.folder)


def built(*names: str) -> Callable[..., None]:
    """A folder with files of these names, inside the folder of the last rehearsal."""

    def begin(place: Place) -> None:
        folder = place.folder / ".unmoor" / "rehearsal" / "dists"
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).touch()
        place.kept["built"] = folder

    return begin


def copied(place: Place, *_: str) -> None:
    """Copy the folder to another place, and name the copy."""
    place.kept["built"] = shutil.copytree(place.kept["built"], place.folder / "copy")


def _leave_one(place: Place, text: str) -> None:
    assert "leave only the files of the release" in text
    (place.kept["built"] / "other-2.0.tar.gz").unlink()


def _chosen(place: Place) -> object:
    return choose(place.kept["checkout"], place.kept["version"], place.kept["tag"])


def built_as(checkout: str, version: str, tag: str | None, follow: Callable[[Place, str], object]) -> Walk:
    """Files of a version that the checkout does not release."""
    return Walk(begin=keep(checkout=Checkout(checkout), version=version, tag=tag), act=_chosen, follow=follow)


def _as_release(place: Place, text: str) -> None:
    place.kept["version"] = re.findall(r"with the version (\S+) in the project's files", text)[0]


def _tag_alone(place: Place, text: str) -> None:
    assert "leave out the tag to rehearse 1.3" in text
    place.kept |= {"tag": None, "checkout": Checkout(static("1.3"))}


def _host(place: Place) -> object:
    pythons = [Interpreter(version=each, path=f"/usr/bin/python{each}") for each in place.kept["pythons"]]
    return assign_interpreters(place.kept["files"], pythons, RunFolder(place.folder / "run"))


def wheels(*tags: str) -> tuple[File, ...]:
    """Wheels with these tags."""
    names = [f"demo-1.0-{tag}.whl" for tag in tags]
    return tuple(File(name=name, sha256="0" * 64, size=1, path=Path(name)) for name in names)


def _install(place: Place, text: str) -> None:
    place.kept["pythons"] = [f"{each}.1" for each in re.findall(r"uv python install (3\.\d+)", text)]


ANY = wheels("py3-none-any")
WALKS: dict[str, Walk] = {
    "replace-sdist-link": Walk(
        begin=lambda place: sdist(place, ("a", "/etc/passwd")), act=_extract, follow=lambda place, _: sdist(place)
    ),
    "rename-in-sdist": Walk(
        begin=lambda place: sdist(place, ("aux.py", "0")), act=_extract, follow=lambda place, _: sdist(place)
    ),
    "exclude-from-sdist": Walk(
        begin=lambda place: sdist(place, count=9), act=_extract, follow=lambda place, _: sdist(place)
    ),
    "correct-backend": Walk(begin=_file("small one 1.0.tar.gz\x01"), act=_named, follow=_file(SDIST)),
    "hand-over-every-file": Walk(begin=also(handed_over, _lose), act=_take, follow=_hand_over),
    "remove-other-files": Walk(begin=also(handed_over, _hold_others), act=_take, follow=_remove_others),
    "copy-folder": Walk(begin=built(SDIST), act=_given, follow=copied),
    "leave-one-release": Walk(begin=also(built(SDIST, "other-2.0.tar.gz"), copied), act=_given, follow=_leave_one),
    "build-as-release": built_as(static("1.2"), "1.2.dev0", None, _as_release),
    "build-at-tag": built_as(static("1.2"), "1.3", "v1.2", _tag_alone),
    "build-from-commit": built_as(
        static("1.2"), "1.3", None, lambda place, text: place.kept.update(tag=text.rpartition("name the tag: ")[2])
    ),
    "install-pythons": Walk(begin=keep(files=wheels("cp313-none-any"), pythons=["3.11.7"]), act=_host, follow=_install),
    "prove-elsewhere+leave-file-out": Walk(
        begin=keep(files=wheels("cp311-cp311-win_amd64"), pythons=["3.11.7"]), act=_host, follow=keep(files=ANY)
    ),
}


@pytest.mark.parametrize("name", WALKS)
def test_advice_is_followed(name: str, tmp_path: Path) -> None:
    """With the file, the folder or the tag that the advice names, the same files count."""
    walk(name, WALKS, Place(folder=tmp_path, shell=cast("LocalShell", None)))
