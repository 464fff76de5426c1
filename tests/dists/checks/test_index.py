"""The local world's index answers every bad file like PyPI, with code separate from the checks."""

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

# Fields with different names in the upload form and in metadata.
RENAMED = {"classifier": "classifiers", "project_url": "project_urls"}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexClient]:
    """The production index of a separate world."""
    folder = tmp_path_factory.mktemp("world")
    repo = Repo.new(folder / "checkout")
    with local.start(folder / "world", repository="acme/demo", checkout=repo.path, file_limit=LIMIT) as world:
        yield IndexClient(world.addresses["pypi"], world_table(world)["index"]["password"], world.folder / "pypi")


def metadata_of(file: File, name: str) -> bytes:
    """The metadata inside a file, or that of a good one if it cannot be read."""
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
            return stream.read() if stream is not None else metadata(name)
    except (zipfile.BadZipFile, tarfile.TarError, LookupError, StopIteration, OSError, EOFError, RuntimeError):
        return metadata(name)


def form(file: File, name: str) -> Upload:
    """The upload form for a file, with every field of its metadata, even those that twine would not send."""
    upload = Upload.of(file, name, "1.0")
    message = email.parser.BytesParser().parsebytes(metadata_of(file, name))
    fields: dict[str, list[str]] = {"metadata_version": [], "name": [], "version": []}
    for key, value in message.items():
        field = key.lower().replace("-", "_")
        fields.setdefault(RENAMED.get(field, field), []).append(value)
    return upload.but(**fields, description=message.get_payload() or None)


EVERY = (*CASES, *WARNED)


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_index_answers_like_pypi(index: IndexClient, case: Case) -> None:
    """The index refuses what PyPI refuses, with its message, and accepts the rest, even if the checks refuse it."""
    name = f"light-house-{EVERY.index(case)}"
    answer = index.send(form(case.make(name), name))
    if case.index is None:
        assert answer.status_code == 200, answer.reason
    elif case.index == "500":
        assert answer.status_code == 500, answer.reason
    else:
        assert (answer.status_code, case.index in answer.reason) == (400, True), answer.reason


@pytest.mark.parametrize(
    "make", [Wheel(name="light-house").file, Sdist(name="light-house").file], ids=["wheel", "sdist"]
)
def test_good_files_are_accepted(index: IndexClient, make: object) -> None:
    """A good file is accepted."""
    assert callable(make)
    answer = index.send(form(make(), "light-house"))
    assert answer.status_code == 200, answer.reason


def test_index_and_checks_share_no_code() -> None:
    """Neither the index nor the checks import the other's rules. Who prepares rounds of chaos is a client."""
    root = Path(__file__).parents[3] / "src" / "unmoor"
    for path in (root / "rehearsal").rglob("*.py"):
        if path.parent.name == "chaos":
            continue
        assert "unmoor.dists.checks" not in path.read_text()
        assert "unmoor.dists.inspect" not in path.read_text()
    for path in (root / "dists" / "checks").glob("*.py"):
        assert "unmoor.rehearsal" not in path.read_text()
