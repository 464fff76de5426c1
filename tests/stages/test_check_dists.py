"""The stage ``check-dists`` refuses files that an index would refuse or of another version, all problems at once."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from tests.stages.conftest import RELEASE, StageInputs
from tests.support import sample_projects
from tests.support.listed_index import FakeIndex, listed_files

from unmoor.artifacts.files import describe_file
from unmoor.core.stage import Output
from unmoor.errors import Conflict, InvalidDist, Unknown
from unmoor.ports.index import Holding
from unmoor.ports.world import WheelPlatforms
from unmoor.products import CheckedDists, Dists
from unmoor.stages.check_dists import CheckDists
from unmoor.util.values import replace

MakeInputs = Callable[..., StageInputs]
README = '\nreadme = {{ content-type = "{}", text = "{}" }}\n'


def checked(at: StageInputs, dists: Dists, **fields: Any) -> CheckedDists:
    """Run the stage."""
    stage = CheckDists(
        name="check-dists",
        release=RELEASE,
        dists=Output("dists"),
        git=at.git,
        shell=at.shell,
        folder=at.folder,
        **{"max_file_size": 100 << 20, **fields},
    )
    assert stage.plan()
    return stage.make(at.context(dists=dists))


def test_fit_files(make_inputs: MakeInputs) -> None:
    """Valid files pass without a warning; the product has their digests."""
    at = make_inputs()
    dists = at.dists()
    assert {each.sha256 for each in checked(at, dists).subjects} == {file.sha256 for file in dists.files}
    assert at.warned == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": "2.0"}, ["has version '1.0', but the tag has '2.0'"]),
        ({"version": "1.0rc1"}, ["has version '1.0', but the tag has '1.0rc1'"]),
        ({"version": "1.0.0"}, []),
        ({"project": "other"}, ["has the name 'small-one', but the project is 'other'"]),
        ({"project": "Small_One"}, []),
    ],
)
def test_name_and_version_are_the_tags(make_inputs: MakeInputs, change: dict[str, str], words: list[str]) -> None:
    """File names and metadata have the tag's version and the project's name, in any spelling."""
    at = make_inputs()
    dists = at.dists()
    at.release = replace(at.release, **change)  # type: ignore[arg-type]  # all of them are text
    if not words:
        checked(at, dists)
        return
    with pytest.raises(InvalidDist) as caught:
        checked(at, dists)
    lines = [line for line in str(caught.value).splitlines() if words[0] in line]
    assert len(lines) == 3  # a problem of both file names is reported once
    assert {"METADATA", "PKG-INFO"} <= {word for line in lines for word in line.split()}


def test_description_that_does_not_render(make_inputs: MakeInputs) -> None:
    """A broken reStructuredText description is refused in both files, with the line."""
    at = make_inputs(sample_projects.files(more=README.format("text/x-rst", "Title\\n==\\n\\n.. nothing::\\n")))
    with pytest.raises(InvalidDist, match=r"line \d+") as caught:
        checked(at, at.dists())
    (line,) = str(caught.value).splitlines()
    assert line.startswith("small_one-1.0-py3-none-any.whl, small_one-1.0.tar.gz: cannot render the description")


@pytest.mark.parametrize("kind", ["text/x-rst", "text/markdown", "text/plain"])
@pytest.mark.parametrize("text", ["\\n", "  \\n", "\\n\\n\\t\\n"])
def test_a_blank_description_is_refused_unless_it_is_plain_text(make_inputs: MakeInputs, kind: str, text: str) -> None:
    """A readme of blanks and line ends is refused in both files, in a line that says what to do; plain text passes."""
    at = make_inputs(sample_projects.files(more=README.format(kind, text)))
    both = "small_one-1.0-py3-none-any.whl, small_one-1.0.tar.gz"
    if kind == "text/plain":
        checked(at, at.dists())
        assert at.warned == [f"{both}: the description is blank [description-missing: a warning of unmoor]"]
        return
    with pytest.raises(InvalidDist) as caught:
        checked(at, at.dists())
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{both}: the description is blank, and nothing is rendered of it as {kind}: write one")
    assert line.endswith("[description-blank: PyPI refuses it]")


def test_missing_description_is_a_warning(make_inputs: MakeInputs) -> None:
    """A missing description is only a warning."""
    at = make_inputs(sample_projects.files(more=README.format("text/markdown", "")))
    checked(at, at.dists())
    both = "small_one-1.0-py3-none-any.whl, small_one-1.0.tar.gz"
    assert at.warned == [f"{both}: the description is missing [description-missing: a warning of unmoor]"]


def test_a_missing_module_is_a_warning(make_inputs: MakeInputs) -> None:
    """A tracked file that the wheel lacks is a warning with its name, since the omission may be deliberate."""
    at = make_inputs()
    dists = at.dists()
    at.release = replace(at.release, commit=at.repo.commit({"src/small_one/core.py": "", "src/small_one/py.typed": ""}))
    checked(at, dists)
    (warned,) = at.warned
    assert warned.startswith("small_one-1.0-py3-none-any.whl: it lacks small_one/core.py, small_one/py.typed")
    assert warned.endswith("[tracked-modules: a warning of unmoor]")


def test_a_left_over_module_is_a_warning(make_inputs: MakeInputs) -> None:
    """Modules that git has deleted are a warning; if git cannot be read, that is the warning."""
    at = make_inputs(sample_projects.files(**{"src/small_one/old.py": "", "src/small_one/core.py": ""}))
    dists = at.dists()
    at.repo.git("rm", "--quiet", "src/small_one/old.py")
    at.release = replace(at.release, commit=at.repo.commit({}))
    checked(at, dists)
    (warned,) = at.warned
    assert "it contains small_one/old.py, which was deleted in git before this commit" in warned
    at.warned.clear()
    before = at.repo.git("rev-parse", "HEAD~1")
    (at.repo.path / ".git" / "objects" / before[:2] / before[2:]).unlink()
    checked(at, dists)
    assert "cannot determine which modules" in at.warned[0]


def test_files_together(make_inputs: MakeInputs) -> None:
    """A stray file, two sdists, the same bytes twice and an empty set are each reported."""
    at = make_inputs()
    dists = at.dists()
    (at.folder.dists / "stray.whl").touch()
    with pytest.raises(InvalidDist, match=r"stray\.whl"):
        checked(at, dists)
    with pytest.raises(InvalidDist, match="2 sdists"):
        checked(at, Dists(files=(*dists.sdists, *dists.sdists)))
    again = replace(dists.wheels[0], name="small_one-1.0-2-py3-none-any.whl")
    with pytest.raises(
        InvalidDist, match=r"small_one-1\.0-2-py3-none-any\.whl contains the same bytes as small_one-1\.0-py3"
    ):
        checked(at, Dists(files=(*dists.files, again)))
    with pytest.raises(InvalidDist, match="nothing was built"):
        checked(at, Dists(files=()))


def test_changed_bytes(make_inputs: MakeInputs) -> None:
    """A file that changed after the build is refused before it is read."""
    at = make_inputs()
    dists = at.dists()
    dists.files[0].path.write_bytes(b"")
    with pytest.raises(InvalidDist, match="not the file that was built"):
        checked(at, dists)


def test_broken_archives(make_inputs: MakeInputs) -> None:
    """A damaged member, a file that is no archive and an invalid name are reported together."""
    at = make_inputs()
    dists = at.dists()
    damaged = at.folder.dists / "small_one-1.0-1-py3-none-any.whl"
    data = bytearray(dists.wheels[0].path.read_bytes())
    with zipfile.ZipFile(dists.wheels[0].path) as archive:
        info = archive.getinfo("small_one/__init__.py")
    data[info.header_offset + 30 + len(info.filename)] ^= 1
    damaged.write_bytes(data)
    empty = at.folder.dists / "small_one-1.0.tar.gz"
    empty.write_bytes(b"no archive")
    nameless = at.folder.dists / "small_one.whl"
    nameless.write_bytes(b"")
    dists.wheels[0].path.unlink()
    with pytest.raises(InvalidDist) as caught:
        checked(at, Dists(files=tuple(describe_file(path) for path in (damaged, empty, nameless))))
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert "checksum" in lines[0]
    assert "not a readable sdist" in lines[1]
    assert "not the file name of a wheel" in lines[2]


def test_wheel_for_this_linux_only(make_inputs: MakeInputs) -> None:
    """A wheel that no index accepts is refused, with a solution that works in every command that builds files."""
    at = make_inputs()
    dists = at.dists()
    wheel = dists.wheels[0].path
    linux = wheel.rename(wheel.with_name("small_one-1.0-py3-none-linux_x86_64.whl"))
    files = Dists(files=(describe_file(linux), *dists.sdists))
    with pytest.raises(InvalidDist, match=r"for this machine only \(linux_x86_64\): it is tested here") as caught:
        checked(at, files)
    assert "cibuildwheel" in caught.value.next_step
    assert "--built DIR (docs/how-to/wheels.md)" in caught.value.next_step
    assert "unmoor" not in caught.value.next_step
    assert checked(at, files, platforms=WheelPlatforms.LENIENT).local == (linux.name,)
    assert any("PyPI refuses it, but this local world takes it for the rehearsal" in line for line in at.warned)


def test_size_limit_of_the_index(make_inputs: MakeInputs) -> None:
    """The setting determines the size limit."""
    at = make_inputs()
    dists = at.dists()
    most = max(file.size for file in dists.files)
    stage = CheckDists(
        name="check-dists",
        release=RELEASE,
        dists=Output("dists"),
        git=at.git,
        shell=at.shell,
        folder=at.folder,
        max_file_size=most,
    )
    assert len(stage.make(at.context(dists=dists)).subjects) == 2
    with pytest.raises(InvalidDist, match="ask the index for a higher limit and set max-file-size"):
        replace(stage, max_file_size=most - 1).make(at.context(dists=dists))


def test_the_same_problem_of_many_files_is_one_line(make_inputs: MakeInputs) -> None:
    """A problem of many files is reported once, with some of their names."""
    at = make_inputs()
    dists = at.dists()
    wheels = [replace(dists.wheels[0], name=f"small_one-1.0-{n}-py3-none-any.whl", sha256=f"{n:064}") for n in range(9)]
    with pytest.raises(InvalidDist) as caught:
        checked(at, Dists(files=tuple(wheels)))
    line, *_ = str(caught.value).splitlines()
    assert line.startswith("small_one-1.0-0-py3-none-any.whl, ")
    assert " and 6 more: it is not the file that was built" in line
    assert line.endswith("[file-changed: unmoor's own rule]")


def test_metadata_that_twine_refuses(make_inputs: MakeInputs) -> None:
    """A field that twine does not know is reported by its name."""
    at = make_inputs()
    dists = at.dists()
    path = dists.wheels[0].path
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            text = data.replace(b"\n\n", b"\nNo-Such-Field: x\n\n", 1) if name.endswith("METADATA") else data
            archive.writestr(name, text)
    with pytest.raises(InvalidDist, match="no-such-field"):
        checked(at, Dists(files=(describe_file(path),)))


WHEEL, SDIST, OTHER = "small_one-1.0-py3-none-any.whl", "small_one-1.0.tar.gz", "small_one-1.0-cp311-cp311-win32.whl"
UNREAD = Unknown("the answer is no JSON", where="http://example.org")
Held = dict[str, str | None] | Unknown


def index_of(held: Held, dists: Dists, name: str) -> FakeIndex:
    """An index that holds files: ``ours`` stands for our own sha256."""
    if isinstance(held, Unknown):
        return FakeIndex(held=held, name=name)
    own = {file.name: file.sha256 for file in dists.files}
    return FakeIndex(
        held=Holding(
            simple=listed_files({file: own[file] if sha == "ours" else sha for file, sha in held.items()}), json=None
        ),
        name=name,
    )


@pytest.mark.parametrize(
    ("pypi", "testpypi", "error", "lines"),
    [
        ({}, {}, None, []),
        ({WHEEL: "ours"}, {WHEEL: "ours", SDIST: "ours"}, None, []),
        ({WHEEL: "0" * 64}, {}, Conflict, [f"pypi holds other bytes as {WHEEL}: sha256 {'0' * 64} there"]),
        ({}, {SDIST: "0" * 64}, Conflict, [f"testpypi holds other bytes as {SDIST}"]),
        (
            {SDIST: "0" * 64, WHEEL: "1" * 64},
            {SDIST: "2" * 64},
            Conflict,
            [f"pypi holds other bytes as {WHEEL}", f"pypi holds other bytes as {SDIST}", "testpypi holds other bytes"],
        ),
        ({OTHER: "0" * 64}, {}, Conflict, [f"pypi holds {OTHER}, which is not of this release"]),
        ({WHEEL: None}, {}, Unknown, [f"pypi lists {WHEEL} without a sha256"]),
        (UNREAD, {}, Unknown, ["the answer is no JSON"]),
        ({}, UNREAD, Unknown, ["the answer is no JSON"]),
        (UNREAD, {WHEEL: "0" * 64}, Conflict, [f"testpypi holds other bytes as {WHEEL}"]),
    ],
)
def test_files_are_compared_with_the_indexes_before_anything_is_sent(
    make_inputs: MakeInputs, *, pypi: Held, testpypi: Held, error: type[Exception] | None, lines: list[str]
) -> None:
    """Another file under one of our names stops the run, one file a line; so does an index that cannot be read."""
    at = make_inputs()
    dists = at.dists()
    indexes = {"index": index_of(pypi, dists, "pypi"), "staging": index_of(testpypi, dists, "testpypi")}
    if error is None:
        checked(at, dists, **indexes, sends=True)
        return
    with pytest.raises(error) as caught:
        checked(at, dists, **indexes, sends=True)
    found = str(caught.value).splitlines()
    assert len(found) == len(lines)
    assert all(line in seen for line, seen in zip(lines, found, strict=True))


@pytest.mark.parametrize(
    ("held", "error", "warned"),
    [
        ({OTHER: "0" * 64}, None, []),
        ({WHEEL: "0" * 64}, Conflict, []),
        (UNREAD, None, ["cannot determine whether an index holds files of 1.0"]),
        ({WHEEL: None}, None, ["cannot determine whether an index holds files of 1.0"]),
    ],
)
def test_a_run_that_sends_nothing_may_have_some_of_the_files(
    make_inputs: MakeInputs, held: Held, error: type[Exception] | None, warned: list[str]
) -> None:
    """A job that builds one wheel is not stopped by the others, nor a dry run by an index that cannot be read."""
    at = make_inputs()
    dists = at.dists()
    part = replace(dists, files=dists.wheels)
    dists.sdists[0].path.unlink()
    if error is not None:
        with pytest.raises(error):
            checked(at, part, index=index_of(held, dists, "pypi"))
        return
    checked(at, part, index=index_of(held, dists, "pypi"))
    assert len([each for each in at.warned if "sdist" not in each]) == len(warned)
    assert all(any(line in each for each in at.warned) for line in warned)


@pytest.mark.parametrize("held", [{WHEEL: "0" * 64}, {OTHER: "0" * 64}, UNREAD])
def test_an_advisory_staging_index_only_warns(make_inputs: MakeInputs, held: Held) -> None:
    """Whatever an advisory staging index holds, or does not answer, is a warning."""
    at = make_inputs()
    dists = at.dists()
    checked(at, dists, staging=index_of(held, dists, "testpypi"), advisory_staging=True, sends=True)
    assert len(at.warned) == 1
