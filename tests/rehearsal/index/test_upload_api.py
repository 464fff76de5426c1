"""The uploads that an index accepts and refuses, one by one, over plain HTTP."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from packaging.metadata import Metadata
from tests.rehearsal.conftest import FILE_LIMIT, IndexClient, requests_of
from tests.rehearsal.index.made_dists import Upload, sdist, wheel

from unmoor.rehearsal.index import archive_checks
from unmoor.rehearsal.index.refusal import Refusal
from unmoor.rehearsal.local import LocalWorld

Change = Callable[[Upload, str], Upload]


def a_wheel(name: str, version: str = "1.0", **how: str) -> Upload:
    """Return a wheel of a project, ready to upload."""
    return Upload.of(wheel(name, version, **how), name, version)


def an_sdist(name: str, version: str = "1.0", **how: str) -> Upload:
    """Return an sdist of a project, ready to upload."""
    return Upload.of(sdist(name, version, **how), name, version)


def test_accepted_and_listed(index: IndexClient, name: str) -> None:
    """A wheel and an sdist are accepted; simple index and JSON API list them at once, with hash and size."""
    wheel_, sdist_ = a_wheel(name), an_sdist(name)
    assert [index.send(each).status_code for each in (wheel_, sdist_)] == [200, 200]
    expected = {each.filename: (hashlib.sha256(each.data).hexdigest(), len(each.data)) for each in (wheel_, sdist_)}
    simple = index.simple(name)["files"]
    assert {file["filename"]: (file["hashes"]["sha256"], file["size"]) for file in simple} == expected
    api = index.get(f"/pypi/{name}/1.0/json").json()["urls"]
    assert {file["filename"]: (file["digests"]["sha256"], file["size"]) for file in api} == expected
    assert requests.get(simple[0]["url"], timeout=20).content == wheel_.data


def test_same_bytes_again(index: IndexClient, world: LocalWorld, name: str) -> None:
    """The same bytes under the same name are answered with 200, and nothing is stored."""
    upload = a_wheel(name)
    assert [index.send(upload).status_code for _ in range(2)] == [200, 200]
    assert len(index.simple(name)["files"]) == 1
    outcomes = [line["outcome"] for line in requests_of(world, server="pypi", file=upload.filename)]
    assert outcomes == ["stored", "already there"]


ON_A_NEW_PROJECT: dict[str, tuple[Change, str]] = {
    "unknown action": (lambda u, _: u.but(action="submit"), "Unknown action."),
    "unknown protocol": (lambda u, _: u.but(protocol_version="2"), "Unknown protocol version."),
    "unknown type": (lambda u, _: u.but(filetype="bdist_egg"), "Use a known file type."),
    "no digest": (
        lambda u, _: u.but(sha256_digest=None, blake2_256_digest=None),
        "Include at least one message digest",
    ),
    "digest that is none": (lambda u, _: u.but(sha256_digest="x"), "Use a valid, hex-encoded, message digest."),
    "sdist with a Python version": (
        lambda _u, n: an_sdist(n).but(pyversion="py3"),
        "Use 'source' as Python version for an sdist.",
    ),
    "wheel without a Python version": (lambda u, _: u.but(pyversion=None), "Python version is required"),
    "no name": (lambda u, _: u.but(name=None), "'' is an invalid value for Name. Error: This field is required."),
    "invalid name": (
        lambda u, _: u.but(name="-x-"),
        "'-x-' is an invalid value for Name. Error: Start and end with a letter",
    ),
    "invalid version": (lambda u, _: u.but(version="one"), "is invalid for 'version'"),
    "local version": (lambda _u, n: a_wheel(n, "1.0+abc"), "The use of local versions in '1.0+abc' is not allowed."),
    "invalid requirement": (lambda u, _: u.but(requires_dist="a b c"), "is invalid for 'requires-dist'"),
    "direct requirement": (
        lambda u, _: u.but(requires_dist="a @ https://example.org/a.whl"),
        "Can't have direct dependency",
    ),
    "long summary": (lambda u, _: u.but(summary="x" * 513), "'summary' field must be 512 characters or less."),
    "name of the standard library": (lambda _u, _: a_wheel("asyncio"), "conflict with the Python Standard Library"),
    "path in the file name": (lambda u, _: u.named("a\\b.whl"), "Cannot upload a file with '/' or '\\' in the name."),
    "unknown extension": (lambda u, _: u.named("a-1.0.egg"), "Invalid file extension: Use .tar.gz, .whl or .zip"),
    "extension of another type": (lambda u, n: u.named(f"{n}-1.0.tar.gz"), "Invalid file extension: A file of type"),
    "hidden file": (lambda u, _n: u.named(".hidden-1.0-py3-none-any.whl"), "Invalid filename."),
    "too large": (
        lambda _u, n: Upload.of(wheel(n, "1.0", source="#" * (FILE_LIMIT + 1)), n, "1.0"),
        "File too large. Limit for project",
    ),
    "other sha256": (
        lambda u, _: u.but(sha256_digest="0" * 64),
        "The digest supplied does not match a digest calculated from the uploaded file.",
    ),
    "other blake2": (
        lambda u, _: u.but(blake2_256_digest="0" * 64),
        "The digest supplied does not match a digest calculated from the uploaded file.",
    ),
    "wheel that is no archive": (
        lambda u, n: Upload.of((u.filename, b"no archive"), n, "1.0"),
        "Invalid distribution file. File is not a zipfile",
    ),
    "sdist that is no archive": (
        lambda _u, n: Upload.of((an_sdist(n).filename, b"no archive"), n, "1.0"),
        "Invalid distribution file.",
    ),
    "wheel with another's dist-info": (
        lambda _u, n: Upload.of((a_wheel(n).filename, a_wheel("other").data), n, "1.0"),
        "Invalid distribution file. WHEEL not found at",
    ),
    "wheel name with too few parts": (
        lambda u, _n: u.named(u.filename.replace("-py3-none", "")),
        "Invalid wheel filename (wrong number of parts)",
    ),
    "tag linux_x86_64": (
        lambda _u, n: a_wheel(n, tag="cp311-cp311-linux_x86_64"),
        "has an unsupported platform tag 'linux_x86_64'.",
    ),
    "tag among others": (
        lambda _u, n: a_wheel(n, tag="cp311-cp311-manylinux_2_17_x86_64.linux_x86_64"),
        "has an unsupported platform tag 'linux_x86_64'.",
    ),
    "wheel of another project": (lambda _u, n: a_wheel("other").but(name=n), "Start filename for"),
    "wheel of another version": (lambda _u, n: a_wheel(n, "2.0").but(version="1.0"), "should be '1.0' not '2.0'."),
    "sdist of another project": (lambda _u, n: an_sdist("other").but(name=n), "Start filename for"),
    "sdist of another version": (
        lambda _u, n: an_sdist(n, "2.0").but(version="1.0"),
        "-2.0.tar.gz' is invalid, should be",
    ),
}


@pytest.mark.parametrize(("change", "words"), ON_A_NEW_PROJECT.values(), ids=ON_A_NEW_PROJECT)
def test_refused(index: IndexClient, name: str, change: Change, words: str) -> None:
    """A file that PyPI refuses gets 400 and a reason where each client reads it, and no project is created."""
    answer = index.send(change(a_wheel(name), name))
    assert answer.status_code == 400
    assert words in answer.reason
    assert index.get(f"/simple/{name}/").status_code == 404


@pytest.mark.parametrize(
    "tag",
    [
        "py3-none-any",
        "cp311-cp311-manylinux_2_17_x86_64",
        "cp311-cp311-musllinux_1_2_aarch64",
        "cp311-cp311-manylinux2014_x86_64",
        "cp311-cp311-macosx_11_0_arm64",
        "cp311-cp311-macosx_10_9_universal2",
        "cp311-cp311-win_amd64",
        "cp311-cp311-linux_armv7l",
    ],
)
def test_accepted_platform_tags(index: IndexClient, name: str, tag: str) -> None:
    """The index accepts the platform tags that PyPI accepts."""
    assert index.send(a_wheel(name, tag=tag)).status_code == 200


def test_an_index_for_rehearsals_takes_any_platform(tmp_path: Path) -> None:
    """In a rehearsal, the index takes what this machine builds; everything else is judged as before."""
    name, data = wheel("acme-local", "1.0", tag="cp311-cp311-linux_x86_64")
    (tmp_path / name).write_bytes(data)
    metadata = Metadata.from_raw({"metadata_version": "2.1", "name": "acme-local", "version": "1.0"})
    with pytest.raises(Refusal, match="unsupported platform tag"):
        archive_checks.wheel(tmp_path / name, name, metadata)
    assert b"acme-local" in archive_checks.wheel(tmp_path / name, name, metadata, any_platform=True)


AGAINST_WHAT_IS_THERE: dict[str, tuple[Change, str]] = {
    "same name, other bytes": (
        lambda _u, n: Upload.of(wheel(n, "1.0", source="other = 1\n"), n, "1.0"),
        "File already exists ('{name}', with blake2_256 hash '{blake2}').",
    ),
    "same bytes, other name": (
        lambda u, _n: u.named(u.filename.replace("py3-", "py2.py3-")),
        "File already exists ('{name}', with blake2_256 hash '{blake2}').",
    ),
    "a second sdist": (lambda _u, n: an_sdist(n, suffix=".zip"), "Only one sdist may be uploaded per release."),
}


@pytest.mark.parametrize(("change", "words"), AGAINST_WHAT_IS_THERE.values(), ids=AGAINST_WHAT_IS_THERE)
def test_refused_beside_existing_files(index: IndexClient, name: str, change: Change, words: str) -> None:
    """Nothing can replace a file that the index has."""
    first = a_wheel(name)
    assert [index.send(each).status_code for each in (first, an_sdist(name))] == [200, 200]
    answer = index.send(change(first, name))
    assert answer.status_code == 400
    assert words.format(name=first.filename, blake2=first.form["blake2_256_digest"]) in answer.reason
    assert len(index.simple(name)["files"]) == 2


def test_one_of_many_at_the_same_time(index: IndexClient, name: str) -> None:
    """Of many simultaneous uploads of one name one is accepted, and the index has its bytes."""
    uploads = [Upload.of(wheel(name, "1.0", source=f"number = {n}\n"), name, "1.0") for n in range(12)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(index.send, uploads))
    taken = [upload for upload, answer in zip(uploads, answers, strict=True) if answer.ok]
    assert [upload.form["sha256_digest"] for upload in taken] == [
        file["hashes"]["sha256"] for file in index.simple(name)["files"]
    ]
    assert len(taken) == 1
    assert {answer.status_code for answer in answers} == {200, 400}


def test_a_deleted_name_cannot_be_used_again(index: IndexClient, name: str) -> None:
    """The name of a deleted file is refused, for the same bytes as well as for others."""
    upload = a_wheel(name)
    index.send(upload)
    assert index.manage("DELETE", name, upload.filename).status_code == 204
    for again in (upload, Upload.of(wheel(name, "1.0", source="other = 1\n"), name, "1.0")):
        answer = index.send(again)
        assert answer.status_code == 400
        assert "previously used by a file that has since been deleted" in answer.reason


def test_somebody_elses_project(index: IndexClient, name: str) -> None:
    """A project that is listed as somebody else's is refused with 403."""
    (index.folder / "foreign").write_text(f"{name.replace('-', '_').upper()}\n")
    answer = index.send(a_wheel(name))
    (index.folder / "foreign").unlink()
    assert answer.status_code == 403
    assert f"isn't allowed to upload to project {name!r}" in answer.reason


@pytest.mark.parametrize(("status", "code"), [("archived", 403), ("quarantined", 403), ("deprecated", 200), ("", 200)])
def test_a_closed_project(index: IndexClient, name: str, status: str, code: int) -> None:
    """An archived or quarantined project takes no files, not even the first ones of a version (PEP 792)."""
    assert index.send(a_wheel(name)).status_code == 200
    with index.control(status, name.replace("-", "_").upper()):
        answer = index.send(a_wheel(name, "1.1"))
    assert answer.status_code == code
    assert code == 200 or f"isn't allowed to upload to project {name!r}" in answer.reason


@pytest.mark.parametrize(
    ("days", "what", "code"),
    [(13.9, "1.0", 200), (14.1, "1.0", 400), (14.1, "1.1", 200), (14.1, "the same bytes", 200)],
    ids=["in time", "late", "another release", "the same bytes"],
)
def test_a_release_closes_after_14_days(index: IndexClient, name: str, days: float, what: str, code: int) -> None:
    """After that only bytes that are there already are answered with 200."""
    first = a_wheel(name)
    assert index.send(first).status_code == 200
    with index.control("ahead", str(days * 86400)):
        answer = index.send(first if what == "the same bytes" else an_sdist(name, what))
    assert answer.status_code == code
    assert code == 200 or answer.reason == "Uploading new files to releases older than 14 days is not allowed."


@pytest.mark.parametrize(
    ("auth", "words"),
    [
        (("__token__", "pypi-wrong"), "Invalid or non-existent authentication information."),
        (("__token__", ""), "Invalid or non-existent authentication information."),
        (("somebody", "pypi-wrong"), "Username/Password authentication is no longer supported."),
    ],
)
def test_wrong_credentials(index: IndexClient, name: str, auth: tuple[str, str], words: str) -> None:
    """Wrong credentials get 403, after the whole body was read."""
    big = Upload.of((f"{name}-1.0-py3-none-any.whl", os.urandom(FILE_LIMIT)), name, "1.0")
    answer = index.send(big, auth=auth)
    assert answer.status_code == 403
    assert words in answer.reason


def test_no_credentials(index: IndexClient) -> None:
    """Missing credentials get 403, as on PyPI."""
    answer = requests.post(f"{index.base}/legacy/", data={":action": "file_upload"}, timeout=20)
    assert (answer.status_code, "Invalid or non-existent" in answer.reason) == (403, True)


def test_a_form_without_a_file(index: IndexClient, name: str) -> None:
    """A form without a file is refused."""
    form = a_wheel(name).form
    auth = ("__token__", index.token)
    answer = requests.post(f"{index.base}/legacy/", data=form, auth=auth, timeout=20)
    assert answer.reason == "Upload payload does not have a file."


@pytest.mark.parametrize(
    ("path", "status"), [("/legacy", 404), ("/", 404), ("/simple/", 405), ("/project/demo/1.0/", 405)]
)
def test_wrong_address(index: IndexClient, path: str, status: int) -> None:
    """Uploads to an address that is not the upload API are refused."""
    answer = requests.post(
        index.base + path, data={}, auth=("__token__", index.token), allow_redirects=False, timeout=20
    )
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "text/html"),
        ("application/json", "application/json"),
        ("text/plain", "text/plain"),
        ("application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7", "application/json"),
    ],
)
def test_reason_in_the_body(index: IndexClient, name: str, accept: str, kind: str) -> None:
    """The reason is in the body, too, in the type that the client requests."""
    answer = index.send(a_wheel(name).but(protocol_version="2"), accept=accept)
    assert answer.headers["content-type"].split(";")[0] == kind
    assert "Unknown protocol version." in answer.text


def test_the_log_has_every_upload_and_no_secret(index: IndexClient, world: LocalWorld, name: str) -> None:
    """Each upload is one line with file, sha256 and outcome; no line has a token."""
    first, other = a_wheel(name), Upload.of(wheel(name, "1.0", source="other = 1\n"), name, "1.0")
    for upload in (first, other):
        index.send(upload)
    lines = requests_of(world, server="pypi", file=first.filename)
    assert [(line["status"], line["outcome"], line["sha256"]) for line in lines] == [
        (200, "stored", first.form["sha256_digest"]),
        (400, "refused", other.form["sha256_digest"]),
    ]
    assert index.token not in (world.folder / "requests.jsonl").read_text()
