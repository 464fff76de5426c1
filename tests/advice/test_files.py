"""Every advice about files, folders, documents and logins on this machine leads on."""

from __future__ import annotations

import hashlib
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.support.advice_walks import Place, Walk, keep, walk
from tests.support.index_tokens import index_token
from tests.support.shells import shell_for_tests

from unmoor.adapters.index.tokens import check_login
from unmoor.adapters.process.shell import LocalShell
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.belief import Belief, require_vouched
from unmoor.artifacts.merge import Handover, built_files
from unmoor.artifacts.oci import ImageName, ImageReference
from unmoor.config.real_world import real_world, upload_addresses
from unmoor.dists import inspect
from unmoor.filesystem.locks import exclusive_lock
from unmoor.filesystem.safe_folder import OWN, refuse_links
from unmoor.images.dockerfile import Dockerfile
from unmoor.ports.world import Login
from unmoor.rehearsal import listening
from unmoor.rehearsal.options import options
from unmoor.rehearsal.shared import worldfile
from unmoor.util.secret import Secret
from unmoor.util.values import replace

PYPI, TESTPYPI = (urlsplit(each).netloc.removeprefix("upload.") for each in upload_addresses())
WORLD = real_world("acme/demo", {})
DOCUMENT = b"a document"


@pytest.fixture(scope="module")
def shell() -> Iterator[LocalShell]:
    """The real shell."""
    with shell_for_tests() as shell:
        yield shell


def token(domain: str = PYPI, **restrict: Any) -> str:
    """An API token."""
    return index_token(domain, **restrict)


def login(password: str, username: str = "__token__") -> Walk:
    """A login that the index would refuse, and a new token in its place, as the advice says."""

    def act(place: Place) -> object:
        given = Login(username=place.kept["user"], secret=Secret(place.kept["password"]), origin="~/.pypirc")
        return check_login(replace(WORLD.index, login=given), "demo", time.time())

    return Walk(begin=keep(user=username, password=password), act=act, follow=keep(user="__token__", password=token()))


def parsed(parse: Callable[[str], object], wrong: str, right: Callable[[str], str]) -> Walk:
    """A text that cannot be parsed, and the one that the advice gives."""
    return Walk(
        begin=keep(text=wrong),
        act=lambda place: parse(place.kept["text"]),
        follow=lambda place, text: place.kept.update(text=right(text)),
    )


def _example(text: str) -> str:
    return text.removeprefix("write it as ").partition(": ")[0].partition(" or ")[0]


def _lock(place: Place) -> None:
    lock = exclusive_lock(place.folder)
    lock.__enter__()
    place.kept["lock"] = lock


def _try_lock(place: Place) -> None:
    with exclusive_lock(place.folder):
        pass


def _wait(place: Place, text: str) -> None:
    assert "wait" in text
    place.kept["lock"].__exit__(None, None, None)


def _linked(place: Place) -> None:
    (place.folder / OWN).symlink_to("/tmp", target_is_directory=True)


def _nested(place: Place) -> None:
    deep = place.folder / OWN / "v1.0" / "/".join("d" * 70)
    deep.mkdir(parents=True)


def _wheel(place: Place, *, metadata: bool) -> None:
    path = place.folder / "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("demo.py", "")
        if metadata:
            archive.writestr("demo-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
    place.kept["wheel"] = path


def _build_into(place: Place, _: str) -> None:
    (place.folder / "out").mkdir()
    _wheel(place, metadata=True)
    place.kept["wheel"].rename(place.folder / "out" / "demo-1.0-py3-none-any.whl")
    place.kept["built"] = "out"


def _broken_world(place: Place) -> None:
    (place.folder / "w").mkdir()
    (place.folder / "w" / "credentials.json").write_text("[]")


def _world(place: Place) -> object:
    (place.folder / "w").mkdir(exist_ok=True)
    return worldfile.credentials(place.folder / "w")


def _handed(place: Place) -> object:
    folder = place.folder / "run"
    folder.mkdir(exist_ok=True)
    return Handover.of(folder).read(Belief(given=frozenset({hashlib.sha256(DOCUMENT).hexdigest()})))


def _vouch(place: Place) -> None:
    given = frozenset(place.kept.get("given", ()))
    require_vouched(Belief(given=given), DOCUMENT, where="here")


def _matched(place: Place) -> None:
    belief = Belief(given=frozenset(place.kept["given"]))
    belief.vouches_for(DOCUMENT)
    belief.require_matched("here")


HEX = hashlib.sha256(DOCUMENT).hexdigest()
WALKS: dict[str, Walk] = {
    "set-token-username": login(token(), "somebody"),
    "make-token": login(token(not_before=1, not_after=2)),
    "make-api-token": login("hunter2"),
    "make-token-of-index": login(token(TESTPYPI)),
    "make-token-of-project": login(token(project_names=["other"])),
    "check-clock": login(token(not_before=2**33, not_after=2**34)),
    "store-again": login(f"{token()}\n"),
    "write-image-name": parsed(ImageName.parse, "ghcr.io/a b/c", _example),
    "write-image-reference": parsed(ImageReference.parse, "ghcr.io/a/b:c:d", _example),
    "write-it-as": parsed(
        lambda text: options(["x", "--repository", text]), "owner", lambda text: _example(text).lower()
    ),
    "write-it-as a host": parsed(
        lambda text: options(["x", "--repository", "a/b", "--registry", text]),
        "no host",
        lambda text: text.partition("such as ")[2],
    ),
    "add-from": parsed(
        lambda text: Dockerfile.parse(text.encode(), "Dockerfile"), "RUN x\n", lambda _: "FROM scratch\n"
    ),
    "shorten-dockerfile": parsed(
        lambda text: Dockerfile.parse(text.encode(), "Dockerfile"),
        "FROM scratch\n" + "#" * 1_000_001,
        lambda _: "FROM scratch\n",
    ),
    "correct-targets": parsed(
        lambda text: Dockerfile.parse(b"FROM scratch AS one\n", "Dockerfile").stage(text), "two", lambda _: "one"
    ),
    "correct-expansion": parsed(
        lambda text: Dockerfile.parse(b"ARG A\nFROM ${A:?no}\n", "Dockerfile", args={"A": text}),
        "",
        lambda _: "scratch",
    ),
    "name-the-stage": parsed(
        lambda text: Dockerfile.parse(f"FROM a {text}\nFROM b\n".encode(), "Dockerfile").target_of("0"),
        "",
        lambda text: text.partition("FROM … ")[2].partition(",")[0],
    ),
    "end-here-document": parsed(
        lambda text: Dockerfile.parse(text.encode(), "Dockerfile"),
        "FROM scratch\nRUN <<END\nx\n",
        lambda text: f"FROM scratch\nRUN <<END\nx\n{text.partition('contains only ')[2].partition(',')[0]}\n",
    ),
    "wait-for-other-run": Walk(begin=_lock, act=_try_lock, follow=_wait),
    "remove-it": Walk(
        begin=_linked, act=lambda place: refuse_links(place.folder), follow=lambda place, text: place.run(text)
    ),
    "remove-nested-folders": Walk(
        begin=_nested,
        act=lambda place: refuse_links(place.folder),
        follow=lambda place, text: place.run(text),
    ),
    "remove-world": Walk(begin=_broken_world, act=_world, follow=lambda place, text: place.run(text)),
    "remove-file": Walk(
        begin=lambda place: (place.folder / "ports.json").write_text("broken"),
        act=lambda place: listening._read(place.folder / "ports.json"),
        follow=lambda place, _: (place.folder / "ports.json").unlink(),
    ),
    "remove-file manifest": parsed(
        lambda text: manifests.decode(text.encode(), where="here") if text else None, "no JSON", lambda _: ""
    ),
    "build-again": Walk(
        begin=lambda place: _wheel(place, metadata=False),
        act=lambda place: inspect.read_metadata(place.kept["wheel"]),
        follow=lambda place, _: _wheel(place, metadata=True),
    ),
    "name-built-folder": Walk(
        begin=keep(built=""), act=lambda place: built_files(place.folder / place.kept["built"]), follow=_build_into
    ),
    "hand-over-with-manifest": Walk(
        begin=lambda _: None,
        act=_handed,
        follow=lambda place, _: (place.folder / "run" / manifests.NAME).write_bytes(DOCUMENT),
    ),
    "pass-sha256-of-document": Walk(begin=lambda _: None, act=_vouch, follow=keep(given=[HEX])),
    "correct-sha256": Walk(begin=keep(given=["0" * 64]), act=_matched, follow=keep(given=[HEX])),
}


@pytest.mark.parametrize("name", WALKS)
def test_advice_is_followed(name: str, tmp_path: Path, shell: LocalShell) -> None:
    """What the advice says is enough, or ends in another error."""
    walk(name, WALKS, Place(folder=tmp_path, shell=shell))
