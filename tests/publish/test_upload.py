"""Whatever the index answers, every file arrives once, or the error says what is there and what to do."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.faulty_index import FaultyIndex, RunningIndex, build_dists, run_index
from tests.support.faulty_server import Exchange
from tests.support.one_fault import FAULTS, OneFault

from unmoor.errors import Conflict, Denied, Incomplete, Rejected, TimedOut, TryLater, Unknown, UnmoorError
from unmoor.products import Dists, File, Release, Subject, Uploaded
from unmoor.publish.index_state import split_missing
from unmoor.publish.upload import MAX_PARALLEL, MAX_TRIES, upload
from unmoor.render.advice import AGAIN, next_step
from unmoor.util.text import duration
from unmoor.util.values import replace

RELEASE = Release(
    repository="owner/demo",
    project="demo",
    tag="v1.0",
    version="1.0",
    commit="0" * 40,
    date=0,
    prerelease=False,
    highest=True,
)
Fault = Callable[[Exchange, FaultyIndex, str, bytes], None]


def bringing(running: RunningIndex, files: Sequence[File], *, deadline: float = 1800.0) -> tuple[Uploaded, list[str]]:
    """Upload the files and return the messages."""
    messages: list[str] = []
    dists = Dists(files=tuple(files))
    product = upload(running.index, RELEASE, dists, clock=running.clock, say=messages.append, deadline=deadline)
    return product, messages


def product_of(files: Sequence[File]) -> Uploaded:
    """The product of all files."""
    return Uploaded(index="example", files=tuple(Subject(name=file.name, sha256=file.sha256) for file in files))


def test_wheels_go_first_and_the_sdist_last(tmp_path: Path) -> None:
    """The first file creates the version; installers should not find an sdist without its wheel."""
    files = build_dists(tmp_path, more=("cp311-cp311-win32", "cp310-cp310-win32"))
    with run_index() as running:
        product, messages = bringing(running, files[::-1])
        assert bringing(running, files)[0] == product_of(files)
    assert product == product_of(files[::-1])
    first, *others = sorted(f.name for f in files[:-1])
    assert (running.served.sent[0], running.served.sent[-1]) == (first, files[-1].name)
    assert sorted(running.served.sent) == sorted(running.served.stored) == sorted([first, *others, files[-1].name])
    assert [line.split()[0] for line in messages] == ["sending"] * 4
    assert running.clock.slept == []


TAGS = tuple(f"cp3{minor}-cp3{minor}-win32" for minor in range(20, 40))


@dataclass
class UploadBarrier:
    """Holds uploads until a number of them are in progress; records the maximum."""

    wanted: int
    most: int = 0
    now: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    met: threading.Event = field(default_factory=threading.Event)

    def keep(self, exchange: Exchange, served: FaultyIndex, name: str, data: bytes) -> None:
        """Store a file once the others have arrived, too."""
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            if self.now == self.wanted:
                self.met.set()
        assert self.met.wait(10)
        with self.lock:
            self.now -= 1
        served.keep(name, data)
        exchange.answer()


def stored(exchange: Exchange, served: FaultyIndex, name: str, data: bytes) -> None:
    """Store a file."""
    served.keep(name, data)
    exchange.answer()


@pytest.mark.parametrize("begun", [False, True])
def test_the_other_wheels_go_in_parallel(tmp_path: Path, *, begun: bool) -> None:
    """The first wheel of a new release goes alone; the others use eight connections."""
    files = build_dists(tmp_path, more=TAGS)
    wheels = sorted(file.name for file in files[:-1])
    meeting = UploadBarrier(wanted=MAX_PARALLEL)
    there = {wheels[0]: next(f.path.read_bytes() for f in files if f.name == wheels[0])} if begun else {}
    with run_index(FaultyIndex(files=dict(there))) as running:
        running.served.uploads.extend([] if begun else [stored])
        running.served.uploads.extend([meeting.keep] * MAX_PARALLEL)
        bringing(running, files)
        ports = {seen.port for seen in running.server.seen if seen.method == "POST"}
    assert meeting.most == MAX_PARALLEL
    assert sorted(running.served.sent) == sorted(file.name for file in files if file.name not in there)
    assert running.served.sent[-1] == files[-1].name
    assert begun or running.served.sent[0] == wheels[0]
    assert len(ports) <= MAX_PARALLEL


def test_after_a_failure_no_further_file_is_sent(tmp_path: Path) -> None:
    """Running uploads end and are listed; the sdist is not sent; a second run sends the rest, each once."""
    files = build_dists(tmp_path, more=TAGS)
    meeting = UploadBarrier(wanted=MAX_PARALLEL)

    def refuse(exchange: Exchange, _shelf: FaultyIndex, _name: str, _data: bytes) -> None:
        meeting.met.wait(10)
        exchange.answer(400, reason="Invalid value for classifiers.")

    meeting.now = 1
    with run_index() as running:
        running.served.uploads.extend([stored, refuse, *[meeting.keep] * (MAX_PARALLEL - 1)])
        with pytest.raises(Rejected, match="classifiers") as caught:
            bringing(running, files)
        assert files[-1].name not in running.served.sent
        count = re.search(r"; (\d+) of 22 files are on example: (.*)$", caught.value.what)
        assert count is not None
        assert sorted(running.served.stored) == count[2].split(", ")
        assert len(running.served.stored) == int(count[1])
        bringing(running, files)
    assert sorted(running.served.stored) == sorted(file.name for file in files)


def test_faults_in_parallel_store_nothing_twice(tmp_path: Path) -> None:
    """Every fault that a single upload survives is survived in parallel."""
    files = build_dists(tmp_path, more=TAGS)
    faults: list[Fault] = [keep_then_500, keep_then_reset, answer(502), reset, keep_then_refuse, keep_then_busy]
    with run_index() as running:
        running.served.uploads.extend([stored, *faults, answer(429, Retry_After="3"), *faults])
        assert bringing(running, files)[0] == product_of(files)
    assert sorted(running.served.stored) == sorted(file.name for file in files)


def test_all_uploads_wait_if_one_is_asked_to(tmp_path: Path) -> None:
    """If the index asks to come back later, all uploads wait."""
    files = build_dists(tmp_path, more=TAGS)
    moments: list[float] = []
    with run_index() as running:

        def late(exchange: Exchange, served: FaultyIndex, name: str, data: bytes) -> None:
            moments.append(running.clock.now())
            stored(exchange, served, name, data)

        begun = running.clock.now()
        running.served.uploads.extend([answer(429, Retry_After="600"), *[late] * 30])
        bringing(running, files)
    assert min(moments) >= begun + 600
    assert len(moments) == len(files)


def test_a_long_wait_is_counted_down(tmp_path: Path) -> None:
    """What is left is reported once a minute, by the upload that was asked to wait."""
    files = build_dists(tmp_path)
    with run_index() as running:
        running.served.uploads.append(answer(429, Retry_After="200"))
        _, messages = bringing(running, files)
    said = [each for each in messages if each.startswith("waiting")]
    assert said == [f"waiting {left} more for example" for left in ("3 min", "2 min", "20 s")]
    assert sum(running.clock.slept) == 200


def test_only_what_is_missing_is_sent(tmp_path: Path) -> None:
    """A file that is already there with the same bytes is reported and not sent."""
    files = build_dists(tmp_path)
    with run_index(FaultyIndex(files={files[0].name: files[0].path.read_bytes()})) as running:
        _, messages = bringing(running, files)
    assert running.served.sent == [files[1].name]
    assert messages[0] == f"example has {files[0].name} already, the same bytes"


# Faults: what the index does with one upload.


def keep_then_500(exchange: Exchange, served: FaultyIndex, name: str, data: bytes) -> None:
    """Store the file, and answer 500."""
    served.keep(name, data)
    exchange.answer(500)


def keep_then_reset(exchange: Exchange, served: FaultyIndex, name: str, data: bytes) -> None:
    """Store the file, and reset the connection."""
    served.keep(name, data)
    exchange.reset()


def keep_then_lag(exchange: Exchange, served: FaultyIndex, name: str, data: bytes) -> None:
    """Store the file, fail, and list it later: every check takes two reads."""
    served.keep(name, data)
    served.lag = 6
    exchange.answer(502)


def keep_then_refuse(exchange: Exchange, served: FaultyIndex, name: str, data: bytes) -> None:
    """Store the file, and refuse it, as if a proxy had sent the request twice."""
    served.keep(name, data)
    exchange.answer(400, reason="File already exists.")


def keep_then_busy(exchange: Exchange, served: FaultyIndex, name: str, data: bytes) -> None:
    """Store the file, and ask to come back later."""
    served.keep(name, data)
    exchange.answer(503, headers={"Retry-After": "5"})


def answer(status: int, reason: str | None = None, **headers: str) -> Fault:
    """Store nothing, and answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda exchange, _shelf, _name, _data: exchange.answer(status, reason=reason, headers=named)


def reset(exchange: Exchange, _shelf: FaultyIndex, _name: str, _data: bytes) -> None:
    """Store nothing, and reset the connection."""
    exchange.reset()


@dataclass(frozen=True, kw_only=True)
class UploadCase:
    """The faults of the first uploads, how often the wheel is sent, and the seconds waited."""

    faults: tuple[Fault, ...]
    sent: int
    slept: tuple[float, ...] = ()


SURVIVED = {
    "500 after storing": UploadCase(faults=(keep_then_500,), sent=1),
    "reset after storing": UploadCase(faults=(keep_then_reset,), sent=1),
    "listed late": UploadCase(faults=(keep_then_lag,), sent=1, slept=(1, 2)),
    "refused after storing": UploadCase(faults=(keep_then_refuse,), sent=1),
    "busy after storing": UploadCase(faults=(keep_then_busy,), sent=1, slept=(5,)),
    "500": UploadCase(faults=(answer(500),), sent=2, slept=(1, 2, 4, 8, 15)),
    "reset twice": UploadCase(faults=(reset, reset), sent=3, slept=(1, 2, 4, 8, 15) * 2),
    "429 in seconds": UploadCase(faults=(answer(429, Retry_After="40"),), sent=2, slept=(40,)),
    "429, unsaid, twice": UploadCase(faults=(answer(429), answer(429)), sent=3, slept=(10, 20)),
    "429 and 500": UploadCase(faults=(answer(429, RateLimit="t=3"), answer(500)), sent=3, slept=(3, 1, 2, 4, 8, 15)),
}


@pytest.mark.parametrize("name", SURVIVED)
def test_temporary_faults_are_survived(name: str, tmp_path: Path) -> None:
    """No fault stores a file twice; the index is checked before a file is sent again."""
    case = SURVIVED[name]
    files = build_dists(tmp_path)
    with run_index(FaultyIndex()) as running:
        running.served.uploads.extend(case.faults)
        assert bringing(running, files)[0] == product_of(files)
    assert running.served.stored == [file.name for file in files]
    assert running.served.sent == [files[0].name] * case.sent + [files[1].name]
    assert tuple(running.clock.slept) == case.slept


@pytest.mark.parametrize(
    ("fault", "kind", "words", "advice", "sent"),
    [
        (
            answer(400, "File already exists ('x', with blake2_256 hash 'y')."),
            Rejected,
            "already exists",
            "new version",
            1,
        ),
        (
            answer(400, "This filename was previously used by a file that has since been deleted."),
            Rejected,
            "previously used",
            "new version: .* can never be used again",
            1,
        ),
        (
            answer(400, "Uploading new files to releases older than 14 days is not allowed."),
            Rejected,
            "older than 14 days",
            "closes a release after that time",
            1,
        ),
        (answer(400, "File too large. Limit for project 'demo' is 100 MB."), Rejected, "100 MB", "higher limit", 1),
        (answer(413, "Request Entity Too Large"), Rejected, "413", "higher limit", 1),
        (answer(400, "The name 'demo' isn't allowed."), Rejected, "isn't allowed", "another name", 1),
        (
            answer(400, "Non-user identities cannot create new projects."),
            Rejected,
            "Non-user",
            "publisher names another project",
            1,
        ),
        (answer(400, "Only one sdist may be uploaded per release."), Rejected, "one sdist", "needs a new version", 1),
        (answer(429, RateLimit="t=55569"), TryLater, "come back in 15 h 27 min", "^wait 15 h 27 min, then", 1),
        (answer(400, "Invalid value for classifiers."), Rejected, "classifiers", "needs a new version", 1),
        (answer(301, Location="/legacy"), Rejected, "redirects to", "upload address in the world file", 1),
        (answer(403, "Invalid API Token"), Denied, "Invalid API Token", "credential", 1),
        (answer(429, Retry_After="86400"), TryLater, "come back in 24 h", "^wait 24 h, then", 1),
        (answer(429, Retry_After="5"), TryLater, "come back in 5 s", "^wait 5 s, then", 3),
        (answer(500), Unknown, "no usable answer .* 3 times", "status page", MAX_TRIES),
        (reset, Unknown, "no usable answer .* 3 times", "status page", MAX_TRIES),
    ],
)
def test_permanent_faults_are_clear_errors(  # noqa: PLR0917 - five of them are a row of the table
    fault: Fault, kind: type[UnmoorError], words: str, advice: str, sent: int, tmp_path: Path
) -> None:
    """The error has the index's message, what is there, and its own next step; attempts are limited."""
    files = build_dists(tmp_path)
    with run_index(FaultyIndex(files={files[0].name: files[0].path.read_bytes()})) as running:
        running.served.uploads.extend([fault] * 9)
        with pytest.raises(kind, match=words) as caught:
            bringing(running, files)
    error = caught.value
    _, _, rest = error.what.partition(f"; 1 of 2 files are on example: {files[0].name}")
    assert rest.startswith("; upload the rest within 14 days") if rest else error.what.endswith(files[0].name)
    assert re.search(advice, next_step(error))
    assert error.retryable is not bool(re.search("new version|another name", error.next_step))
    assert (bool(rest), AGAIN in next_step(error)) == (error.retryable, error.retryable)
    assert type(error) is kind
    assert (error.wait > 0) is (kind is TryLater)
    assert running.served.sent == [files[1].name] * sent
    assert running.served.stored == []


def refuse_for_other_bytes(exchange: Exchange, served: FaultyIndex, name: str, data: bytes) -> None:
    """Somebody else has just uploaded other bytes."""
    served.files[name] = data + b"other"
    exchange.answer(400, reason="File already exists.")


@pytest.mark.parametrize("fault", [refuse_for_other_bytes, keep_then_500])
def test_other_bytes_under_our_name_are_a_conflict(fault: Fault, tmp_path: Path) -> None:
    """The error has both digests, whether the other bytes came before or during the upload."""
    files = build_dists(tmp_path)
    with run_index() as running:
        running.served.uploads.append(fault)
        if fault is keep_then_500:
            running.served.files[files[1].name] = b"other"
        with pytest.raises(Conflict, match=rf"sha256 [0-9a-f]{{64}} there, {'[0-9a-f]' * 64} here"):
            bringing(running, files)
    assert len(running.served.sent) <= 1


def test_a_file_that_nobody_tested_is_a_conflict(tmp_path: Path) -> None:
    """A version that has another file is not this release."""
    files = build_dists(tmp_path, more=("cp311-cp311-win32",))
    served = FaultyIndex(files={file.name: file.path.read_bytes() for file in files})
    with (
        run_index(served) as running,
        pytest.raises(Conflict, match=r"demo-1\.0-cp311.*, which is not of this release"),
    ):
        split_missing(running.index, "demo", "1.0", (files[0], files[2]))


def test_files_are_fetched_from_an_index_without_hashes(tmp_path: Path) -> None:
    """Files are fetched and hashed, which is reported; each is fetched once, not for every check."""
    files = build_dists(tmp_path)
    served = FaultyIndex(files={files[0].name: files[0].path.read_bytes()}, without_hash=True)
    with run_index(served) as running:
        product, messages = bringing(running, files)
        fetched = [path for path in running.server.paths() if path.startswith("/files/")]
    assert product == product_of(files)
    assert running.served.sent == [files[1].name]
    assert messages[-1] == "example gives no sha256: fetched and hashed its files"
    assert sorted(fetched) == sorted(f"/files/{file.name}" for file in files)


def test_other_bytes_on_an_index_without_hashes_are_a_conflict(tmp_path: Path) -> None:
    """An equal name does not make an equal file."""
    files = build_dists(tmp_path)
    served = FaultyIndex(files={files[0].name: b"other"}, without_hash=True)
    with run_index(served) as running, pytest.raises(Conflict, match="holds other bytes"):
        bringing(running, files)
    assert running.served.sent == []


def test_a_file_too_large_to_fetch_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file too large to fetch is neither present nor absent."""
    files = build_dists(tmp_path)
    monkeypatch.setattr("unmoor.adapters.index.hashes.BUDGET", 10)
    served = FaultyIndex(files={file.name: file.path.read_bytes() for file in files}, without_hash=True)
    with run_index(served) as running, pytest.raises(Unknown, match="without a sha256") as caught:
        bringing(running, files)
    assert "too large to fetch and hash" in caught.value.next_step
    assert running.served.sent == []


def test_apis_that_disagree_are_a_conflict(tmp_path: Path) -> None:
    """The JSON API does not overrule the simple index."""
    files = build_dists(tmp_path)
    with run_index(FaultyIndex(files={files[0].name: files[0].path.read_bytes()})) as running:
        page = {"meta": {"api-version": "1.0"}, "name": "demo", "files": []}
        wrong = {"filename": files[0].name, "url": "/x", "hashes": {"sha256": "0" * 64}}
        running.served.reads.append(
            lambda x: x.json({**page, "files": [wrong]}, kind="application/vnd.pypi.simple.v1+json")
        )
        with pytest.raises(Conflict, match="0" * 64):
            split_missing(running.index, "demo", "1.0", files)


def test_an_index_behind_its_own_api_counts(tmp_path: Path) -> None:
    """A stale simple index is reported, not waited for, and its files are not absent."""
    files = build_dists(tmp_path)
    with run_index(FaultyIndex(simple_behind=True)) as running:
        product, messages = bringing(running, files)
    assert product == product_of(files)
    assert messages[-1].startswith(f"installers cannot see {files[0].name}, {files[1].name} yet")
    assert running.clock.slept == []


def saying(body: str | bytes, kind: str = "text/html", *, status: int = 200, stores: bool = False) -> Fault:
    """Answer with success and a body, as a login page or a proxy does."""

    def script(exchange: Exchange, served: FaultyIndex, name: str, data: bytes) -> None:
        if stores:
            served.keep(name, data)
        exchange.answer(status, body, kind=kind)

    return script


@pytest.mark.parametrize("how_many", [1, 2])
def test_success_counts_only_with_the_hash(how_many: int, tmp_path: Path) -> None:
    """A wheel that the index accepted but does not list is not done, and no sdist is sent without it."""
    files = build_dists(tmp_path, more=("cp311-cp311-win32",) * (how_many - 1))
    with run_index() as running:
        running.served.uploads.extend([answer(200)] * 9)
        with pytest.raises(Incomplete, match=rf"does not list .*whl yet; {files[-1].name} was not sent") as caught:
            bringing(running, files)
    assert sorted(running.served.sent) == sorted(file.name for file in files if file.is_wheel)
    assert AGAIN in next_step(caught.value)
    assert sum(running.clock.slept) == 180


FOREIGN: dict[str, tuple[str | bytes, str]] = {
    "login page": ("<html><form><input></form></html>", "text/html"),
    "maintenance": ("<h1>Back soon</h1>", "text/html"),
    "text": ("service unavailable", "text/plain"),
    "JSON": ('{"error": "no session"}', "application/json"),
    "HTML as JSON": ("<html>", "application/json"),
    "bytes": (b"\x00\xff", "application/octet-stream"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_success_that_is_not_the_indexs_own_is_no_answer(name: str, tmp_path: Path) -> None:
    """The index is asked for the file, which is sent again if it is not there; the sdist waits for it."""
    files = build_dists(tmp_path)
    with run_index() as running:
        running.served.uploads.append(saying(*FOREIGN[name]))
        product, messages = bringing(running, files)
        assert product == product_of(files)
        assert running.served.sent == [files[0].name] * 2 + [files[1].name]
        assert "no clear answer (200 " in messages[1]
    with run_index() as running:
        running.served.uploads.extend([saying(*FOREIGN[name])] * 9)
        with pytest.raises(Unknown, match=r"no usable answer .* 3 times"):
            bringing(running, files)
        assert running.served.sent == [files[0].name] * MAX_TRIES


@pytest.mark.parametrize("status", [200, 201, 202])
def test_an_index_that_says_what_it_did_is_believed_once_it_lists_the_file(status: int, tmp_path: Path) -> None:
    """Some private indexes answer with JSON. Nothing is sent twice."""
    files = build_dists(tmp_path)
    with run_index() as running:
        said = saying('{"message": "201 Created"}', "application/json", status=status, stores=True)
        running.served.uploads.extend([said] * 2)
        assert bringing(running, files)[0] == product_of(files)
    assert running.served.sent == [file.name for file in files]
    assert running.clock.slept == []


def test_an_index_that_cannot_be_read_is_sent_nothing(tmp_path: Path) -> None:
    """Unknown is never absent, neither before the first upload nor after a lost answer."""
    files = build_dists(tmp_path)
    with run_index() as running:
        running.served.reads.extend([lambda x: x.answer(500)] * 3)
        with pytest.raises(Unknown, match="answered 500"):
            bringing(running, files)
        assert running.served.sent == []
        running.served.uploads.append(keep_then_reset)
        running.served.reads.extend([lambda x: x.answer(404)] * 2 + [lambda x: x.answer(500)] * 100)
        with pytest.raises(Unknown, match=r"answered 500.*0 of 2 files are on example"):
            bringing(running, files)
        running.served.reads.clear()
        assert bringing(running, files)[0] == product_of(files)
    assert running.served.sent == running.served.stored == [file.name for file in files]


@pytest.mark.parametrize(("deadline", "words"), [(2.5, "was asked what it holds"), (40.0, "was sent|was asked")])
def test_the_deadline_holds(deadline: float, words: str, tmp_path: Path) -> None:
    """All waits together end by the deadline."""
    files = build_dists(tmp_path)
    with run_index() as running:
        running.served.uploads.extend([reset] * 9)
        with pytest.raises(TimedOut, match=words) as caught:
            bringing(running, files, deadline=deadline)
    assert sum(running.clock.slept) <= deadline
    assert "0 of 2 files are on example" in caught.value.what


def test_a_file_that_changed_is_not_sent(tmp_path: Path) -> None:
    """The error lists what is already there."""
    files = build_dists(tmp_path)
    files[1].path.write_bytes(b"other")
    with (
        run_index() as running,
        pytest.raises(Conflict, match=f"changed on disk.*1 of 2 files are on example: {files[0].name}"),
    ):
        bringing(running, files)
    assert running.served.stored == [files[0].name]


def test_split_missing_keeps_the_order(tmp_path: Path) -> None:
    """Present and absent files keep their order."""
    files = build_dists(tmp_path)
    with run_index(FaultyIndex(files={files[1].name: files[1].path.read_bytes()})) as running:
        assert split_missing(running.index, "demo", "1.0", files) == ((files[1],), (files[0],))
        other = replace(files[1], sha256="1" * 64)
        with pytest.raises(Conflict, match="1" * 64):
            split_missing(running.index, "demo", "1.0", (other, files[0]))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 s"),
        (0.1, "1 s"),
        (59, "59 s"),
        (60, "1 min"),
        (61, "2 min"),
        (3600, "1 h"),
        (86399, "24 h"),
        (5400, "1 h 30 min"),
    ],
)
def test_durations_as_text(seconds: float, words: str) -> None:
    """Durations are rounded up, since a wait that is too short is refused again."""
    assert duration(seconds) == words


@pytest.mark.parametrize("name", FAULTS)
def test_one_fault_in_any_exchange_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Each request may fail once, reads and uploads alike: every file is stored exactly once."""
    files, fault = build_dists(tmp_path), OneFault()
    fault.install(monkeypatch)
    with run_index() as running:
        expected = bringing(running, files)[0]
    count = fault.count
    assert count > len(files)
    for number in range(count):
        fault.again(FAULTS[name], number)
        with run_index() as running:
            assert bringing(running, files)[0] == expected, number
            assert running.served.stored == [file.name for file in files], number
