"""The judge: a clean release violates nothing, and a planted violation is reported as what it is, as nothing else.

The tables are in one file, so that one release serves them all.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.support.git_repos import Repo
from tests.support.judged import (
    COMMIT_TAG,
    HOSTS,
    IMAGE,
    SDIST,
    SECRET,
    VERSION_TAG,
    WHEEL,
    Judged,
    labelled,
    make_judged,
    put_line,
    write,
)
from tests.support.real_registries import make_image

from unmoor.rehearsal.invariants.evidence import End, RunEvidence
from unmoor.rehearsal.invariants.leaks import LIMIT
from unmoor.rehearsal.invariants.verdict import INVARIANTS
from unmoor.util.values import replace

Benign = Callable[[Judged, random.Random], None]
Plant = Callable[[Judged], None]
OTHER = "f" * 64
OTHER_COMMIT = "e" * 40


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """A release that has ended well, in its second run. Not to be changed."""
    return make_judged(tmp_path_factory.mktemp("judged"))


@pytest.fixture
def judged(finished: Judged, tmp_path: Path) -> Judged:
    """A copy of it to plant a violation in."""
    return finished.copy(tmp_path / "judged")


def path_of(judged: Judged, index: str, name: str) -> Path:
    """The bytes of a file on an index."""
    return next((judged.world / index / "files").rglob(name))


def upload(index: str, name: str, sha256: str, outcome: str = "refused") -> dict[str, object]:
    """A line of the log: a file came to an index."""
    status = 400 if outcome == "refused" else 200
    line = {"server": index, "method": "POST", "path": "/legacy/", "status": status}
    return line | {"file": name, "sha256": sha256, "outcome": outcome}


# I1: the files on an index.


def other_bytes(judged: Judged) -> None:
    """The bytes on the disk of an index are not what it says."""
    path_of(judged, "pypi", WHEEL).write_bytes(b"other")


def no_bytes(judged: Judged) -> None:
    """The bytes are gone."""
    path_of(judged, "testpypi", SDIST).unlink()


def other_wheel(judged: Judged) -> None:
    """The staging index holds another build, in its bytes and in what it says."""
    path = path_of(judged, "testpypi", WHEEL)
    path.write_bytes(b"another build")
    sha256 = hashlib.sha256(b"another build").hexdigest()
    judged.edit(
        "testpypi/projects/small-one.json",
        lambda project: next(f for f in project["files"] if f["name"] == WHEEL)["digests"].update(sha256=sha256),
    )
    judged.baseline.indexes["testpypi"]["small-one"][WHEEL] = sha256  # type: ignore[index]


def untested_wheel(judged: Judged) -> None:
    """The index holds a wheel for another platform, which nobody has tested."""
    name = "small_one-1.0-cp311-cp311-win_amd64.whl"
    path = path_of(judged, "pypi", WHEEL)
    data = path.read_bytes() + b"0"
    blake2 = hashlib.blake2b(data, digest_size=32).hexdigest()
    digests = {"sha256": hashlib.sha256(data).hexdigest(), "blake2": blake2, "md5": "", "size": len(data)}
    write(judged.world / f"pypi/files/{blake2[:2]}/{blake2[2:4]}/{blake2[4:]}/{name}", data)

    def add(project: dict[str, object]) -> None:
        files = project["files"]
        assert isinstance(files, list)
        files.append({**files[0], "name": name, "digests": digests})

    judged.edit("pypi/projects/small-one.json", add)
    judged.baseline.indexes["pypi"]["small-one"][name] = digests["sha256"]  # type: ignore[index]


def sent_twice(judged: Judged) -> None:
    """A file was sent a second time with other bytes, which the index refused."""
    judged.insert(judged.find(server="pypi", outcome="stored", file=SDIST) + 1, upload("pypi", SDIST, OTHER))


def sent_untested(judged: Judged) -> None:
    """The first bytes that were sent were other ones."""
    judged.insert(judged.find(server="testpypi", outcome="stored", file=WHEEL), upload("testpypi", WHEEL, OTHER))


# I2: the release page.


def asset_gone(judged: Judged) -> None:
    """The public page lacks an asset, as the baseline does."""
    judged.edit_page(lambda page: page["assets"].remove(judged.asset(page, "SHA256SUMS")))
    judged.baseline.pages["v1.0"][0].assets.pop("SHA256SUMS")  # type: ignore[attr-defined]


def asset_interrupted(judged: Judged) -> None:
    """An asset is only begun."""
    judged.edit_asset("SHA256SUMS", state="starter", digests=None)


def asset_cut(judged: Judged) -> None:
    """The forge serves half of an asset."""
    state = json.loads((judged.world / "forge/state.json").read_text())
    path = judged.world / "forge/assets" / str(judged.asset(state["releases"][-1], SDIST)["id"])
    path.write_bytes(path.read_bytes()[:100])


def asset_lost(judged: Judged) -> None:
    """The bytes of an asset are gone."""
    state = json.loads((judged.world / "forge/state.json").read_text())
    (judged.world / "forge/assets" / str(judged.asset(state["releases"][-1], WHEEL)["id"])).unlink()


def asset_replaced(judged: Judged) -> None:
    """An asset was removed from the public page, and came back."""
    at = judged.find(server="forge", method="PATCH", draft=False)
    removed = {
        "server": "forge",
        "method": "DELETE",
        "path": "/api/v3/repos/acme/small/releases/assets/9",
        "status": 204,
    }
    judged.insert(at + 1, removed | {"release": 1, "removed": "SHA256SUMS"})


def other_page(judged: Judged) -> None:
    """A page of another version is public with an asset that is only begun."""

    def add(state: dict[str, list[dict[str, object]]]) -> None:
        page = state["releases"][-1]
        asset = {**judged.asset(page, WHEEL), "state": "starter", "digests": None, "id": 990}
        state["releases"].insert(0, {**page, "id": 991, "tag": "v0.9", "mark": 0, "assets": [asset]})

    judged.edit("forge/state.json", add)
    judged.baseline = judged.state()


# I3: floating pointers.


def newer(judged: Judged, version: str, *tags: str, host: str = "ghcr.io") -> str:
    """Put the image of another version under some tags. Return its digest."""
    built = labelled(version, OTHER_COMMIT)
    judged.put_image(host, built, *tags)
    return built.manifest.digest


def tag_moved_back(judged: Judged) -> None:
    """``latest`` was at 2.0 before it came to 1.0."""
    digest = newer(judged, "2.0", "v2.0", "latest")
    judged.put_image("ghcr.io", labelled("1.0", judged.expected.commit), "latest")
    judged.baseline = judged.state()
    assert digest in {
        path.parent.name.join(("sha256:", "")) for path in judged.world.rglob("latest/index/sha256/*/link")
    }


def tag_forth_and_back(judged: Judged) -> None:
    """``latest`` went from 1.0 to 0.9, and then to 1.0 again: only the log shows it."""
    old = newer(judged, "0.9", "v0.9")
    judged.baseline = judged.state()
    at = judged.find(server="registry", host="ghcr.io", path=f"/v2/{IMAGE}/manifests/latest")
    judged.insert(at + 1, put_line("ghcr.io", "latest", old), judged.lines[at])


def tag_at_prerelease(judged: Judged) -> None:
    """``1.0`` was at a release candidate."""
    newer(judged, "1.0rc1", "v1.0rc1", "1.0")
    judged.put_image("ghcr.io", labelled("1.0", judged.expected.commit), "1.0")
    judged.baseline = judged.state()


def tag_at_nothing(judged: Judged) -> None:
    """``1`` was at an image of no version."""
    judged.put_image("docker.io", make_image("something"), "1")
    judged.put_image("docker.io", labelled("1.0", judged.expected.commit), "1")


def tag_before_version(judged: Judged) -> None:
    """``latest`` moved before the version had a tag of its own there."""
    version = judged.find(server="registry", host="ghcr.io", path=f"/v2/{IMAGE}/manifests/{VERSION_TAG}")
    latest = judged.find(server="registry", host="ghcr.io", path=f"/v2/{IMAGE}/manifests/latest")
    judged.lines[version], judged.lines[latest] = judged.lines[latest], judged.lines[version]


def latest_back(judged: Judged) -> None:
    """The page of 2.0 was the latest before that of 1.0."""
    judged.edit("forge/state.json", lambda state: state["releases"].insert(0, page_of(state, "v2.0", mark=0)))
    judged.edit("forge/state.json", lambda state: [each.update(mark=each["mark"] + 1) for each in state["releases"]])
    judged.baseline = judged.state()


def latest_back_in_log(judged: Judged) -> None:
    """The log shows that another page was the latest in between."""
    at = judged.find(server="forge", method="PATCH", draft=False)
    judged.insert(at, judged.lines[at] | {"tag": "v1.1", "release": 77, "path": "/api/v3/repos/acme/small/releases/77"})


def latest_prerelease(judged: Judged) -> None:
    """A release candidate is the latest, since its page does not say what it is."""
    judged.edit("forge/state.json", lambda state: state["releases"].append(page_of(state, "v1.1rc1", mark=9)))
    judged.baseline = judged.state()


def page_of(state: dict[str, list[dict[str, object]]], tag: str, mark: int) -> dict[str, object]:
    """A page of another tag without assets."""
    return {**state["releases"][-1], "id": 900 + mark, "tag": tag, "name": tag, "mark": mark, "assets": []}


# I4: the end.


def page_twice(judged: Judged) -> None:
    """A draft was left beside the public page."""
    judged.edit(
        "forge/state.json", lambda state: state["releases"].append({**page_of(state, "v1.0", 0), "draft": True})
    )


def other_notes(judged: Judged) -> None:
    """The notes are other ones."""
    judged.edit_page(lambda page: page.update(body="- Something else."))


def no_provenance(judged: Judged) -> None:
    """The forge lost the provenance with which the notes say to verify."""
    for path in (judged.world / "forge/attestations").glob("*.json"):
        path.unlink()


def extra_asset(judged: Judged) -> None:
    """The page has an asset more."""
    judged.edit_page(lambda page: page["assets"].append({**judged.asset(page, WHEEL), "name": "core.dump"}))


def tag_missing(judged: Judged) -> None:
    """A floating tag was never moved."""
    for path in (judged.world / "registry/ghcr.io").rglob("tags/latest/current/link"):
        path.unlink()


def other_latest(judged: Judged) -> None:
    """The page is not the latest."""
    judged.edit_page(lambda page: page.update(mark=0))


def other_branch(judged: Judged) -> None:
    """A branch of the remote has other files, as a documentation site whose stable alias was left behind."""
    repo = Repo.new(judged.folder / "pushing", {"stable/index.html": "of the version before\n"})
    repo.git("push", "--quiet", "--force", str(judged.world / "remote.git"), "HEAD:refs/heads/main")


def built_again(judged: Judged) -> None:
    """The second run built the files again."""
    output = judged.runs[-1].output.replace("dists ", "dists           building the sdist\ndists ", 1)
    judged.runs[-1] = replace(judged.runs[-1], output=output)


def ended_badly(judged: Judged) -> None:
    """The last run, without faults, did not end well, and says so."""
    judged.runs[-1] = replace(judged.runs[0], log_start=judged.runs[1].log_start, log_end=judged.runs[1].log_end)


# I5: what runs say at their end.


def said_nothing(judged: Judged) -> None:
    """The first run failed without a word about what was not reached."""
    output = "\n".join(line for line in judged.runs[0].output.splitlines() if "not reached" not in line)
    judged.runs[0] = replace(judged.runs[0], output=output)


def forgot_one(judged: Judged) -> None:
    """The first run does not name the release page as missing."""
    judged.runs[0] = replace(judged.runs[0], output=judged.runs[0].output.replace("undraft, verify", "verify"))


def no_way_on(judged: Judged) -> None:
    """The first run does not say how to go on."""
    lines = [line for line in judged.runs[0].output.splitlines() if not line.startswith(("next:", "then:"))]
    judged.runs[0] = replace(judged.runs[0], output="\n".join(lines))


def too_early_zero(judged: Judged) -> None:
    """The first run had the exit code 0, although the index had no file."""
    judged.runs[0] = replace(judged.runs[0], exit_code=0)


def false_modesty(judged: Judged) -> None:
    """The first run says that nothing was uploaded."""
    output = judged.runs[0].output.replace("already uploaded or published:", "nothing was uploaded or published")
    judged.runs[0] = replace(judged.runs[0], output=output)


def false_pride(judged: Judged) -> None:
    """The first run failed, and says that every surface holds the release."""
    judged.runs[0] = replace(judged.runs[0], output=judged.runs[0].output + "every surface holds v1.0\n")


def silent_failure(judged: Judged) -> None:
    """A run before them failed at once, and said nothing."""
    nothing = RunEvidence(command=("unmoor",), exit_code=3, output="", seconds=0.1, deadline=9, log_start=0, log_end=0)
    judged.runs.insert(0, nothing)


# I6: bounds.


def too_long(judged: Judged) -> None:
    """A run took longer than it may."""
    judged.runs[0] = replace(judged.runs[0], seconds=601.0)


def many_tries(judged: Judged) -> None:
    """A file was sent again and again."""
    at = judged.find(server="pypi", outcome="stored", file=SDIST)
    judged.insert(at, *[{**judged.lines[at], "status": 503, "outcome": "refused"}] * 9)


def many_publications(judged: Judged) -> None:
    """The page was published again and again."""
    at = judged.find(server="forge", method="PATCH", draft=False)
    failed = {key: judged.lines[at][key] for key in ("server", "method", "path", "at")}
    judged.insert(at, *[failed | {"status": 502}] * 7)


def hammering(judged: Judged) -> None:
    """The next file came at once, although the index asked to wait."""
    at = judged.find(server="pypi", outcome="stored", file=WHEEL)
    line = {key: judged.lines[at][key] for key in ("server", "method", "path", "at")}
    judged.insert(at, line | {"status": 429, "retry_after": 30})


def secondary_limit(judged: Judged) -> None:
    """An asset came again at once, although the forge asked to wait."""
    at = judged.find(server="forge", outcome="stored", file="SHA256SUMS")
    refused = {**judged.lines[at], "status": 403, "outcome": "refused", "retry_after": 60}
    judged.insert(at, refused)


def deaf(judged: Judged) -> None:
    """A run waited each time, but never gave up."""
    at = judged.find(server="pypi", outcome="stored", file=WHEEL)
    line = {key: judged.lines[at][key] for key in ("server", "method", "path", "at")}
    waits = [line | {"status": 429, "retry_after": 1, "at": line["at"] - 10 + 2 * number} for number in range(4)]
    judged.insert(at, *waits)


def sent_blindly(judged: Judged) -> None:
    """An asset was sent again although it had arrived, without a look."""
    at = judged.find(server="forge", outcome="stored", file="SHA256SUMS")
    judged.insert(at + 1, judged.lines[at])


def drafted_blindly(judged: Judged) -> None:
    """The draft was made twice, and nobody looked in between."""
    at = judged.find(server="forge", method="POST", path="/api/v3/repos/acme/small/releases")
    judged.insert(at + 1, judged.lines[at])


# I7: the order of what cannot be taken back.


def staging_late(judged: Judged) -> None:
    """A file came to the staging index when the index had one already. The first run names it as missing."""
    output = judged.runs[0].output.replace("not reached: ", "not reached: testpypi, ")
    judged.runs[0] = replace(judged.runs[0], output=output)
    judged.move(judged.find(server="testpypi", outcome="stored", file=SDIST), len(judged.lines) - 1)
    judged.runs[-1] = replace(judged.runs[-1], log_end=len(judged.lines))


def asset_late(judged: Judged) -> None:
    """An asset came to the draft after the first file was on the index."""
    at = judged.find(server="pypi", outcome="stored", file=WHEEL)
    judged.move(judged.find(server="forge", outcome="stored", file="SHA256SUMS"), at + 1)


def image_late(judged: Judged) -> None:
    """An image came to a registry after the first file was on the index."""
    at = judged.find(server="pypi", outcome="stored", file=WHEEL)
    judged.insert(at + 1, put_line("ghcr.io", "sha-fedcba987654", f"sha256:{OTHER}"))


def unread_staging(judged: Judged) -> None:
    """Nobody read the staging index before the first file went to the index."""
    for at in reversed(range(len(judged.lines))):
        if judged.lines[at]["server"] == "testpypi" and judged.lines[at]["method"] == "GET":
            judged.remove(at)


def published_first(judged: Judged) -> None:
    """The page was published before the files were on the index; it is not the latest."""
    at = judged.find(server="forge", method="PATCH", draft=False)
    judged.lines[at]["latest"] = False
    judged.move(at, judged.find(server="pypi", outcome="stored", file=WHEEL))


def refused_too_late(judged: Judged) -> None:
    """The second run found a failing test after it had published."""
    output = f"check-dists failed\nerror: no\nnext:  {'x'}\nnot reached: verify\n"
    extra = replace(judged.runs[-1], exit_code=8, output=output)
    begin = judged.find(server="forge", method="PATCH", draft=False)
    judged.runs[-1:] = [
        replace(extra, log_end=begin + 1),
        replace(judged.runs[-1], log_start=begin + 1),
    ]


def moved_tag_ignored(judged: Judged) -> None:
    """The tag was moved, and the release went on."""
    judged.since = judged.find(server="pypi", outcome="stored", file=WHEEL)
    judged.runs[-1] = replace(judged.runs[-1], exit_code=4, output=f"{OTHER_COMMIT}\nundraft failed\nthen:  x\n")
    judged.expected = replace(judged.expected, end=End.REFUSED, named=(OTHER_COMMIT,))


def unnamed_commit(judged: Judged) -> None:
    """The tag was moved, and the refusal does not name both commits."""
    judged.since = len(judged.lines)
    judged.runs[-1] = replace(judged.runs[-1], exit_code=4, output="tag failed\nerror: no\nthen:  x\n")
    judged.expected = replace(judged.expected, end=End.REFUSED, named=(OTHER_COMMIT,))


# I8: secrets.


def in_output(judged: Judged) -> None:
    """A run printed it."""
    judged.runs[0] = replace(judged.runs[0], output=f"{judged.runs[0].output}\ntoken {SECRET}\n")


def in_command(judged: Judged) -> None:
    """It stands in a command."""
    judged.runs[0] = replace(judged.runs[0], command=("unmoor", f"--token={SECRET}"))


def in_url(judged: Judged) -> None:
    """It stands in an address in the log, in the form of URLs."""
    judged.insert(0, {"server": "forge", "method": "GET", "path": f"/?token={quote(SECRET, safe='')}", "status": 404})


def in_basic(judged: Judged) -> None:
    """It stands in a header that was stored, in base64 after a user's name."""
    for number, user in enumerate(("a", "ab", "abc")):
        encoded = base64.b64encode(f"{user}:{SECRET}".encode())
        write(judged.folder / "run" / f"header-{number}.txt", b"Basic " + encoded)


def in_label(judged: Judged) -> None:
    """It is a label of an image."""
    judged.put_image("ghcr.io", make_image(SECRET, version="0.1", revision=OTHER_COMMIT), "extra")
    judged.baseline = judged.state()


def in_layer(judged: Judged) -> None:
    """It is in a file of an image."""
    built = make_image("nothing", version="0.1", revision=OTHER_COMMIT)
    judged.put_image("ghcr.io", replace(built, layers=(gzip.compress(f"x{SECRET}y".encode()),)), "extra")
    judged.baseline = judged.state()


def in_wheel(judged: Judged) -> None:
    """It is in a wheel within an archive."""
    wheel, archive = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as inner:
        inner.writestr("a.py", f"TOKEN = {SECRET!r}\n" * 50)
    with tarfile.open(fileobj=archive, mode="w:gz") as outer:
        entry = tarfile.TarInfo("a.whl")
        entry.size = len(wheel.getvalue())
        outer.addfile(entry, io.BytesIO(wheel.getvalue()))
    write(judged.folder / "run" / "kept.tar.gz", archive.getvalue())


def in_journal(judged: Judged) -> None:
    """It is in the journal, where JSON escapes it."""
    secret = 'pass"word\\of\tit'
    judged.secrets = (secret,)
    write(judged.folder / "run" / "journal.jsonl", json.dumps({"secret": secret}).encode())


def in_commit(judged: Judged) -> None:
    """It is in a file that was pushed to the remote."""
    repo = Repo.new(judged.folder / "pushing", {"a.txt": f"{SECRET}\n"})
    repo.git("push", "--quiet", str(judged.world / "remote.git"), "HEAD:refs/heads/leak")
    judged.baseline = judged.state()


def in_pack(judged: Judged) -> None:
    """It is in a file that was pushed to the remote, where git has packed its objects."""
    in_commit(judged)
    Repo(judged.world / "remote.git").git("repack", "-adq")


def far_in(judged: Judged) -> None:
    """It is behind the beginning of a large file, at a place where two parts of it meet."""
    write(judged.folder / "run" / "long.log", b"-" * (2 * LIMIT - 5) + SECRET.encode())


def in_name(judged: Judged) -> None:
    """It is the name of a file."""
    write(judged.folder / "run" / SECRET.encode().hex(), b"")


# I9: one commit.


def other_tag(judged: Judged) -> None:
    """The tag leads to another commit in the end."""
    write(judged.world / "remote.git/refs/tags/v1.0", f"{OTHER_COMMIT}\n".encode())


def no_tag(judged: Judged) -> None:
    """The tag is gone."""
    packed = judged.world / "remote.git/packed-refs"
    lines = packed.read_text().splitlines(keepends=True)
    packed.write_text("".join(line for line in lines if "refs/tags/v1.0" not in line))
    (judged.world / "remote.git/refs/tags/v1.0").unlink(missing_ok=True)


def other_target(judged: Judged) -> None:
    """The target of the page is another commit."""
    judged.edit_page(lambda page: page.update(target=OTHER_COMMIT))
    judged.baseline = judged.state()


def other_name(judged: Judged) -> None:
    """The page has the name of another version."""
    judged.edit_page(lambda page: page.update(name="v1.1"))
    judged.baseline = judged.state()


def marked_prerelease(judged: Judged) -> None:
    """The page of a final version says that it is a prerelease."""
    judged.edit_page(lambda page: page.update(prerelease=True))
    judged.baseline = judged.state()


def other_manifest(judged: Judged) -> None:
    """The manifest on the page is of another commit."""
    page = json.loads((judged.world / "forge/state.json").read_text())["releases"][-1]
    asset = judged.asset(page, "manifest.json")
    data = (judged.world / "forge/assets" / str(asset["id"])).read_bytes()
    data = data.replace(judged.expected.commit.encode(), OTHER_COMMIT.encode())
    (judged.world / "forge/assets" / str(asset["id"])).write_bytes(data)
    judged.edit_asset("manifest.json", digests=asset["digests"] | {"sha256": hashlib.sha256(data).hexdigest()})


def relabelled(*hosts: str, version: str = "1.0", revision: str = "") -> Plant:
    """The tags of the version lead to an image with other labels on some registries."""

    def plant(judged: Judged) -> None:
        built = labelled(version, revision or judged.expected.commit)
        for host in hosts:
            judged.put_image(host, built, VERSION_TAG, COMMIT_TAG)
        judged.baseline = judged.state()

    return plant


def other_mirror(judged: Judged) -> None:
    """A mirror has another image of the same commit."""
    built = make_image("another build", version="1.0", revision=judged.expected.commit)
    judged.put_image("docker.io", built, VERSION_TAG)
    judged.baseline = judged.state()


PLANTED: dict[str, tuple[Plant, ...]] = {
    "I1": (other_bytes, no_bytes, other_wheel, untested_wheel, sent_twice, sent_untested),
    "I2": (asset_gone, asset_interrupted, asset_cut, asset_lost, asset_replaced, other_page),
    "I3": (
        *(tag_moved_back, tag_forth_and_back, tag_at_prerelease, tag_at_nothing, tag_before_version),
        *(latest_back, latest_back_in_log, latest_prerelease),
    ),
    "I4": (
        *(page_twice, other_notes, no_provenance, extra_asset, tag_missing, other_latest, other_branch),
        *(built_again, ended_badly),
    ),
    "I5": (said_nothing, forgot_one, no_way_on, too_early_zero, false_modesty, false_pride, silent_failure),
    "I6": (too_long, many_tries, many_publications, hammering, secondary_limit, deaf, sent_blindly, drafted_blindly),
    "I7": (
        *(staging_late, asset_late, image_late, unread_staging, published_first, refused_too_late),
        *(moved_tag_ignored, unnamed_commit),
    ),
    "I8": (
        *(in_output, in_command, in_url, in_basic, in_label, in_layer, in_wheel, in_journal),
        *(in_commit, in_pack, far_in, in_name),
    ),
    "I9": (
        *(other_tag, no_tag, other_target, other_name, marked_prerelease, other_manifest, other_mirror),
        *(relabelled(*HOSTS, revision=OTHER_COMMIT), relabelled(*HOSTS, version="1.1")),
    ),
}


# What may differ.


def at_another_time(judged: Judged, chance: random.Random) -> None:
    """Everything happened at another time, and the servers' clock was set once."""
    shift, at = chance.uniform(-1e8, 1e8), chance.randrange(len(judged.lines))
    for number, line in enumerate(judged.lines):
        line["at"] += shift if number < at else shift / 2
    judged.edit_page(lambda page: page.update(created_at="2031-01-01T00:00:00.000000Z", published_at="2031-01-02"))


def with_other_numbers(judged: Judged, chance: random.Random) -> None:
    """The forge counts from elsewhere."""
    first = chance.randrange(1000, 9000)

    def renumber(page: dict[str, object]) -> None:
        page["id"] = first
        assets = page["assets"]
        assert isinstance(assets, list)
        for asset in assets:
            folder = judged.world / "forge/assets"
            (folder / str(asset["id"])).rename(folder / str(first + asset["id"]))
            asset["id"] += first

    judged.edit_page(renumber)
    for line in judged.lines:
        if "release" in line:
            line["path"] = line["path"].replace(f"/releases/{line['release']}", f"/releases/{first}")
            line["release"] = first


def with_more_reads(judged: Judged, chance: random.Random) -> None:
    """Others read, and some of these reads failed."""
    for _ in range(5):
        read = {"server": chance.choice(["pypi", "forge", "registry"]), "method": "GET", "path": "/simple/other/"}
        status = chance.choice([200, 304, 404, 429, 499, 503])
        judged.insert(chance.randrange(len(judged.lines)), read | {"status": status, "retry_after": 9})


def with_an_older_version(judged: Judged, chance: random.Random) -> None:
    """An older version is on every surface, and so are a draft and an image of something else."""
    number = f"0.{chance.randrange(9)}"
    name = f"small_one-{number}.tar.gz"
    for index in ("pypi", "testpypi"):

        def add(project: dict[str, list[dict[str, object]]], index: str = index) -> None:
            data = b"older"
            blake2 = hashlib.blake2b(data, digest_size=32).hexdigest()
            digests = {"sha256": hashlib.sha256(data).hexdigest(), "blake2": blake2, "md5": "", "size": len(data)}
            write(judged.world / index / "files" / blake2[:2] / blake2[2:4] / blake2[4:] / name, data)
            project["files"].append({**project["files"][0], "name": name, "version": number, "digests": digests})

        judged.edit(f"{index}/projects/small-one.json", add)
    judged.edit("forge/state.json", lambda state: state["releases"].insert(0, page_of(state, f"v{number}", 0)))
    judged.edit(
        "forge/state.json", lambda state: [each.update(mark=1 + at) for at, each in enumerate(state["releases"])]
    )
    for host in HOSTS:
        built = labelled(number, OTHER_COMMIT)
        judged.put_image(host, built, f"v{number}", "latest", number)
        judged.put_image(host, labelled("1.0", judged.expected.commit), "latest")
        first = judged.find(server="registry", host=host, path=f"/v2/{IMAGE}/manifests/{COMMIT_TAG}")
        judged.insert(first, *(put_line(host, tag, built.manifest.digest) for tag in (f"v{number}", "latest")))
    judged.baseline = judged.state()


def with_a_second_try(judged: Judged, chance: random.Random) -> None:
    """An index did not take a file at once, or its answer was lost."""
    index, name = chance.choice(["pypi", "testpypi"]), chance.choice([WHEEL, SDIST])
    at = judged.find(server=index, outcome="stored", file=name)
    before = {**judged.lines[at], "status": 503, "outcome": "refused"}
    look = {"server": index, "method": "GET", "path": "/simple/small-one/", "status": 200}
    judged.insert(at + 1, look, {**judged.lines[at], "outcome": "already there"})
    judged.insert(at, before)


def with_patience(judged: Judged, _chance: random.Random) -> None:
    """A server asked to wait, and the run waited."""
    at = judged.find(server="pypi", outcome="stored", file=WHEEL)
    line = {key: judged.lines[at][key] for key in ("server", "method", "path")}
    judged.insert(at, line | {"status": 429, "retry_after": 2, "at": judged.lines[at]["at"] - 2.01})


def in_another_order(judged: Judged, _chance: random.Random) -> None:
    """The files came to the staging index in another order, and a tag of an image was put twice."""
    one, two = (judged.find(server="testpypi", outcome="stored", file=name) for name in (WHEEL, SDIST))
    for key in ("file", "sha256"):
        judged.lines[one][key], judged.lines[two][key] = judged.lines[two][key], judged.lines[one][key]
    at = judged.find(server="registry", host="ghcr.io", path=f"/v2/{IMAGE}/manifests/latest")
    judged.insert(at + 1, judged.lines[at])


def without_the_forge(judged: Judged, _chance: random.Random) -> None:
    """The forge did not take the provenance, and the notes say to verify with the file of it."""
    no_provenance(judged)
    bundle = "small-one-1.0.provenance.sigstore.json"
    at = "gh attestation verify FILE --repo acme/small"
    judged.edit_page(lambda page: page.update(body=page["body"].replace(at, f"{at} --bundle {bundle}")))


def killed_at_first(judged: Judged, _chance: random.Random) -> None:
    """The first run was killed, so it said nothing."""
    judged.runs[0] = replace(judged.runs[0], exit_code=-9, output="", faulted=True)


def beside_another_run(judged: Judged, _chance: random.Random) -> None:
    """The first run says that it uploaded nothing, which another run did meanwhile."""
    output = judged.runs[0].output.replace("already uploaded or published:", "nothing was uploaded or published")
    judged.runs[0] = replace(judged.runs[0], output=output, beside=True)


def once_more(judged: Judged, _chance: random.Random) -> None:
    """There was a run more, which found everything."""
    judged.runs.append(replace(judged.runs[-1], log_start=judged.runs[-1].log_end))


BENIGN = (
    *(at_another_time, with_other_numbers, with_more_reads, with_an_older_version, with_a_second_try),
    *(with_patience, in_another_order, killed_at_first, once_more, without_the_forge),
    beside_another_run,
)
ROWS = [(invariant, plant) for invariant, plants in PLANTED.items() for plant in plants]


def test_a_clean_release(judged: Judged) -> None:
    """A release that ended well violates nothing."""
    assert judged.violations() == ()


def test_every_invariant_has_violations_planted() -> None:
    """The table has each, and several of each."""
    assert PLANTED.keys() == INVARIANTS.keys()
    assert min(map(len, PLANTED.values())) > 4


@pytest.mark.parametrize(("invariant", "plant"), ROWS, ids=[f"{name}-{plant.__name__}" for name, plant in ROWS])
def test_a_planted_violation(judged: Judged, invariant: str, plant: Plant) -> None:
    """Exactly the violated invariant is reported."""
    plant(judged)
    assert judged.broken() == [invariant], judged.violations()


@pytest.mark.parametrize("change", BENIGN, ids=lambda change: change.__name__)
def test_what_may_differ(judged: Judged, change: Benign) -> None:
    """Other times, numbers and orders, other versions and survived faults are no violations."""
    change(judged, random.Random(1))  # noqa: S311 - the same each time
    assert judged.violations() == ()


@pytest.mark.parametrize("seed", range(8))
def test_what_may_differ_together(judged: Judged, seed: int) -> None:
    """Nor are several of these, in any order."""
    chance = random.Random(seed)  # noqa: S311 - the same each time
    for change in chance.sample(BENIGN, chance.randrange(2, len(BENIGN))):
        change(judged, chance)
    assert judged.violations() == ()


@pytest.mark.parametrize(
    ("path", "invariants"),
    [
        ("pypi/projects/small-one.json", ["I1", "I4"]),
        ("forge/state.json", ["I2", "I3", "I4", "I5", "I9"]),
        ("forge/assets/*", ["I2"]),
        ("registry/ghcr.io/storage/docker/registry/v2/blobs/sha256/*/*/data", ["I3", "I4", "I9"]),
        ("requests.jsonl", sorted(INVARIANTS)),
    ],
    ids=["index", "page", "assets", "images", "log"],
)
def test_what_cannot_be_read(judged: Judged, path: str, invariants: list[str]) -> None:
    """It violates whatever needs it, and is never passed over."""
    for file in judged.world.glob(path):
        file.write_bytes(b"broken")
    if path == "requests.jsonl":
        judged.lines[0] = {"nothing": 1}
    assert {*invariants} <= {*judged.broken()}
