"""The local world's index says of every bad file what PyPI says, by other code."""

from __future__ import annotations

import email.parser
import io
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.dists.checks.cases import LIMIT, Case, File
from tests.dists.checks.corpus import CASES, WARNED
from tests.dists.checks.packing import Sdist, Wheel, metadata
from tests.rehearsal.conftest import IndexClient, world_table
from tests.rehearsal.index.made_dists import Upload
from tests.support.git_repos import Repo

from unmoor.rehearsal import local

# Fields that a form calls otherwise than metadata does.
RENAMED = {"classifier": "classifiers", "project_url": "project_urls"}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexClient]:
    """The production index of a world of its own."""
    folder = tmp_path_factory.mktemp("world")
    repo = Repo.new(folder / "checkout")
    with local.start(folder / "world", repository="acme/demo", checkout=repo.path, file_limit=LIMIT) as world:
        yield IndexClient(world.addresses["pypi"], world_table(world)["index"]["password"], world.folder / "pypi")


def said(file: File, name: str) -> bytes:
    """The metadata inside a file; where there is none to be found, that of a good one."""
    filename, data = file
    try:
        if not filename.endswith(".tar.gz"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                inner = sorted(
                    each for each in archive.namelist() if each.endswith((".dist-info/METADATA", "/PKG-INFO"))
                )
                return archive.read(inner[0])
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            info = next(each for each in tar if each.name.endswith("/PKG-INFO"))
            stream = tar.extractfile(info)
            assert stream is not None
            return stream.read()
    except (zipfile.BadZipFile, tarfile.TarError, IndexError, StopIteration, OSError, EOFError, NotImplementedError):
        return metadata(name)


def form(file: File, name: str) -> Upload:
    """The form that goes with a file: every field of its metadata, also those that twine would not send."""
    upload = Upload.of(file, name, "1.0")
    message = email.parser.BytesParser().parsebytes(said(file, name))
    fields: dict[str, list[str]] = {"metadata_version": [], "name": [], "version": []}
    for key, value in message.items():
        field = key.lower().replace("-", "_")
        fields.setdefault(RENAMED.get(field, field), []).append(value)
    return upload.but(**fields, description=message.get_payload() or None)


EVERY = (*CASES, *WARNED)


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_what_the_index_says(index: IndexClient, case: Case) -> None:
    """What PyPI refuses is refused in its words; what it takes is taken, although the release refuses it here."""
    name = f"light-house-{EVERY.index(case)}"
    answer = index.send(form(case.make(name), name))
    if case.index is None:
        assert answer.status_code == 200, answer.reason
    else:
        assert (answer.status_code, case.index in answer.reason) == (400, True), answer.reason


@pytest.mark.parametrize(
    "make", [Wheel(name="light-house").file, Sdist(name="light-house").file], ids=["wheel", "sdist"]
)
def test_good_files_are_taken(index: IndexClient, make: object) -> None:
    """A good file is taken."""
    assert callable(make)
    answer = index.send(form(make(), "light-house"))
    assert answer.status_code == 200, answer.reason


def test_the_two_judgements_share_no_code() -> None:
    """Neither the index nor the stage imports the other's rules."""
    root = Path(__file__).parents[3] / "src" / "unmoor"
    for path in (root / "rehearsal").rglob("*.py"):
        assert "unmoor.dists.checks" not in path.read_text()
        assert "unmoor.dists.inspect" not in path.read_text()
    for path in (root / "dists" / "checks").glob("*.py"):
        assert "unmoor.rehearsal" not in path.read_text()
