"""The pages of an index."""

from __future__ import annotations

import hashlib
import os
import zipfile
from io import BytesIO

import pytest
import requests
from tests.rehearsal.conftest import IndexClient
from tests.rehearsal.index.made_dists import Upload, sdist, wheel

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"


@pytest.fixture
def held(index: IndexClient, name: str) -> Upload:
    """Upload a wheel of version 1.0, and a release candidate of 2.0."""
    upload = Upload.of(wheel(name, "1.0"), name, "1.0")
    for each in (upload, Upload.of(sdist(name, "2.0rc1"), name, "2.0rc1")):
        assert index.send(each).status_code == 200
    return upload


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "text/html"),
        (HTML, HTML),
        (JSON, JSON),
        ("application/vnd.pypi.simple.latest+json", JSON),
        (f"{JSON}, {HTML};q=0.2, text/html;q=0.01", JSON),
        (f"{JSON};q=0.1, {HTML};q=0.2", HTML),
    ],
)
def test_kinds_of_simple_pages(index: IndexClient, held: Upload, accept: str, kind: str) -> None:
    """A simple page has the type that the client prefers (PEP 691)."""
    for path in ("/simple/", f"/simple/{held.form['name']}/"):
        assert index.get(path, accept).headers["content-type"].split(";")[0] == kind


def test_unacceptable(index: IndexClient, held: Upload) -> None:
    """A client that accepts no type of simple page gets 406."""
    assert index.get(f"/simple/{held.form['name']}/", "image/png").status_code == 406


def test_simple_json(index: IndexClient, held: Upload, name: str) -> None:
    """The JSON page has the versions, and each file's hash, size, upload time, yank and required Python."""
    page = index.simple(name)
    assert page["meta"]["api-version"].startswith("1.")
    assert (page["name"], page["versions"]) == (name, ["1.0", "2.0rc1"])
    file = page["files"][0]
    assert file["hashes"] == {"sha256": held.form["sha256_digest"]}
    assert (file["size"], file["requires-python"], file["yanked"]) == (len(held.data), ">=3.9", False)
    assert file["upload-time"].endswith("Z")


def test_simple_html(index: IndexClient, held: Upload, name: str) -> None:
    """The HTML page has the hash in the link, and the required Python as an attribute."""
    text = index.get(f"/simple/{name}/").text
    assert f"{held.filename}#sha256={held.form['sha256_digest']}" in text
    assert 'data-requires-python="&gt;=3.9"' in text


@pytest.mark.parametrize("status", ["active", "archived", "quarantined", "deprecated"])
def test_the_status_of_a_project(index: IndexClient, held: Upload, name: str, status: str) -> None:
    """Both forms of a simple page have it (PEP 792). Of a quarantined project there are no files, and no other page."""
    paths = (f"/pypi/{name}/json", f"/pypi/{name}/1.0/json", f"/project/{name}/1.0/")
    with index.control("" if status == "active" else status, name):
        page, text = index.simple(name), index.get(f"/simple/{name}/").text
        codes = {index.get(path).status_code for path in paths}
        listed = name in {each["name"] for each in index.get("/simple/", JSON).json()["projects"]}
    assert page["project-status"] == {"status": status}
    assert f'<meta name="pypi:project-status" content="{status}">' in text
    offered = status != "quarantined"
    assert (bool(page["files"]), held.filename in text, codes, listed) == (
        offered,
        offered,
        {200 if offered else 404},
        offered,
    )
    assert index.simple(name)["files"]


@pytest.mark.usefixtures("held")
def test_serial_and_etag(index: IndexClient, name: str) -> None:
    """Pages have a growing serial, and an ETag that saves the second download."""
    first = index.get(f"/simple/{name}/", JSON)
    assert index.get(f"/simple/{name}/", JSON, **{"If-None-Match": first.headers["etag"]}).status_code == 304
    index.send(Upload.of(wheel(name, "1.1"), name, "1.1"))
    second = index.get(f"/simple/{name}/", JSON, **{"If-None-Match": first.headers["etag"]})
    assert second.status_code == 200
    assert int(second.headers["x-pypi-last-serial"]) > int(first.headers["x-pypi-last-serial"])


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/simple/{upper}/", "/simple/{name}/"),
        ("/simple/{name}", "/simple/{name}/"),
        ("/pypi/{upper}/json", "/pypi/{name}/json"),
        ("/pypi/{upper}/1.0/json", "/pypi/{name}/1.0/json"),
    ],
)
def test_redirects_to_the_normalized_name(index: IndexClient, held: Upload, name: str, path: str, where: str) -> None:
    """Another spelling of a name redirects to the normalized one (PEP 503)."""
    upper = held.form["name"].upper().replace("-", "_")
    answer = index.get(path.format(upper=upper, name=name))
    assert (answer.status_code, answer.headers["location"]) == (301, where.format(name=name))


@pytest.mark.parametrize(
    "path",
    [
        "/simple/{name}-not/",
        "/pypi/{name}-not/json",
        "/pypi/{name}/9.9/json",
        "/pypi/{name}/nonsense/json",
        "/project/{name}/9.9/",
        "/packages/aa/bb/cc/{name}.whl",
        "/packages/../../credentials.json",
        "/packages/%2e%2e/%2e%2e/credentials.json",
    ],
)
def test_unknown(index: IndexClient, held: Upload, path: str) -> None:
    """Every unknown path is 404."""
    assert index.get(path.format(name=held.form["name"])).status_code == 404


def test_json_api(index: IndexClient, held: Upload, name: str) -> None:
    """The project's JSON has its highest final version; each version has its own, by any spelling."""
    project = index.get(f"/pypi/{name}/json").json()
    assert (project["info"]["name"], project["info"]["version"]) == (name, "1.0")
    assert set(project["releases"]) == {"1.0", "2.0rc1"}
    version = index.get(f"/pypi/{name}/2.0-rc.1/json").json()
    assert version["info"]["version"] == "2.0rc1"
    assert "releases" not in version
    assert project["urls"][0]["digests"] == {
        "sha256": held.form["sha256_digest"],
        "blake2b_256": held.form["blake2_256_digest"],
        "md5": hashlib.md5(held.data, usedforsecurity=False).hexdigest(),
    }


def test_metadata_of_a_wheel(index: IndexClient, held: Upload, name: str) -> None:
    """The METADATA of a wheel can be read on its own (PEP 658), and has the hash on the page."""
    file = index.simple(name)["files"][0]
    text = requests.get(f"{file['url']}.metadata", timeout=20).content
    assert hashlib.sha256(text).hexdigest() == file["core-metadata"]["sha256"]
    with zipfile.ZipFile(BytesIO(held.data)) as archive:
        assert text in [archive.read(member) for member in archive.namelist()]


@pytest.mark.usefixtures("held")
def test_stale(index: IndexClient, name: str) -> None:
    """With the control file, the simple index lags behind the JSON API."""
    stale = index.folder / "stale"
    stale.touch()
    index.send(Upload.of(wheel(name, "1.1"), name, "1.1"))
    assert "1.1" not in index.simple(name)["versions"]
    assert index.get(f"/pypi/{name}/1.1/json").status_code == 200
    os.utime(stale, (0, 0))
    assert index.get(f"/simple/{name}/").status_code == 404
    stale.unlink()
    assert "1.1" in index.simple(name)["versions"]


def test_yank(index: IndexClient, held: Upload, name: str) -> None:
    """Every page marks a yanked release, with the reason."""
    assert index.manage("POST", name, "1.0?reason=broken").status_code == 204
    assert index.simple(name)["files"][0]["yanked"] == "broken"
    assert 'data-yanked="broken"' in index.get(f"/simple/{name}/").text
    assert index.get(f"/pypi/{name}/1.0/json").json()["info"]["yanked_reason"] == "broken"
    assert held.filename in index.get(f"/project/{name}/1.0/").text
