"""Every advice about an index leads to an upload, a download or a page that counts."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from tests.rehearsal.index import made_dists
from tests.stages.test_access import EMPTY, WHOLE, AccessInputs, FakeForge
from tests.support.advice_walks import Place, Walk, also, keep, walk
from tests.support.faulty_index import BOUNDS, FaultyIndex, build_dists, index_place
from tests.support.faulty_server import Exchange, run_server
from tests.support.listed_index import FakeIndex
from tests.support.sample_values import FakeClock, sample_release

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.index import PackageIndex
from unmoor.adapters.process.shell import LocalShell
from unmoor.artifacts.files import describe_file
from unmoor.config.credentials import index_login
from unmoor.config.real_world import upload_addresses
from unmoor.ports.index import Holding, ListedFile, ProjectStatus
from unmoor.products import Dists, File
from unmoor.publish.index_state import split_missing
from unmoor.publish.upload import upload
from unmoor.stages import prove_testpypi
from unmoor.util.values import replace

RELEASE = sample_release("acme/demo", "demo")
WHEEL = "demo-1.0-py3-none-any.whl"
PAGE = "application/vnd.pypi.simple.v1+json"


def index_of(place: Place, http: BoundedSession) -> PackageIndex:
    """A client for the index of the walk, with the login and the address that the walk keeps."""
    at = index_place(place.kept["url"], json=False)
    at = replace(at, **{name: place.kept["place"][name].format(url=place.kept["url"]) for name in place.kept["place"]})
    return PackageIndex(replace(at, login=place.kept.get("login", at.login)), http, FakeClock(time=1000.0))


def _upload(place: Place) -> object:
    """Upload the files of the version that the walk keeps, which is 1.0 at first."""
    version = place.kept.setdefault("version", "1.0")
    if place.kept.get("built") != version:
        place.kept |= {"built": version, "files": build_dists(place.folder / version, version)}
    release = replace(RELEASE, version=version, tag=f"v{version}")
    with BoundedSession(BOUNDS) as http:
        index = index_of(place, http)
        return upload(
            index,
            release,
            Dists(files=place.kept["files"]),
            clock=index.clock or FakeClock(),
            say=place.kept["said"].append,
        )


def _next_version(place: Place, text: str) -> None:
    """Release a new version, which has names of its own."""
    assert re.search("release a new version|needs a new version|release the next version", text)
    place.kept["version"] = "1.1"


def refused(status: int, reason: str, follow: Callable[[Place, str], object]) -> Walk:
    """An upload that the index refuses, in PyPI's own words. ``follow`` is what the user or the operator changes."""

    def answer(exchange: Exchange) -> None:
        exchange.answer(status, reason=reason)

    return Walk(begin=keep(wrong=("POST", "demo-1.0", answer)), act=_upload, follow=follow)


right = keep(wrong=None)


def reading(answer: Callable[[Exchange], None], follow: Callable[[Place, str], object] = right) -> Walk:
    """A page that the index does not give as it should."""

    def act(place: Place) -> object:
        with BoundedSession(BOUNDS) as http:
            return index_of(place, http).holding("demo", "1.0")

    return Walk(begin=keep(wrong=("GET", "", answer)), act=act, follow=follow)


def _without_login(place: Place) -> None:
    place.kept |= {"environ": {}, "login": index_login("pypi", upload_addresses()[0], {})}


def _set_password(place: Place, text: str) -> None:
    """Set the variable that the advice names."""
    found = re.findall(r"UNMOOR_PYPI_PASSWORD", text)
    place.kept["login"] = index_login("pypi", upload_addresses()[0], {found[0]: "pypi-throw-away"})


def _broken(place: Place) -> None:
    path = place.folder / WHEEL
    path.write_bytes(b"no archive")
    place.kept |= {"version": "1.0", "built": "1.0", "files": (describe_file(path),)}


def _build(place: Place, _: str = "") -> None:
    place.kept |= {"version": "1.0", "built": "1.0", "files": build_dists(place.folder / "again")}


def _changed(place: Place) -> None:
    _build(place)
    path = place.kept["files"][0].path
    path.write_bytes(made_dists.wheel("demo", "1.0", source="changed = 1\n")[1])


def _others(place: Place) -> None:
    """Another run built the same version first."""
    name, data = made_dists.wheel("demo", "1.0", source="first = 1\n")
    place.kept["served"].keep(name, data)
    _build(place)


def _first_files(place: Place, text: str) -> None:
    """Continue with the files that were built first, which are those that the index has."""
    assert "to continue with the files that were built first" in text
    name, data = next(iter(place.kept["served"].files.items()))
    path = place.folder / name
    path.write_bytes(data)
    place.kept["files"] = (describe_file(path), place.kept["files"][1])


def _foreign(place: Place) -> None:
    place.kept["served"].keep(*made_dists.wheel("demo", "1.0", tag="cp311-cp311-win32"))


def _without_hashes(place: Place) -> None:
    _build(place)
    file = place.kept["files"][0]
    place.kept["listed"] = ListedFile(name=file.name, url="", sha256=None)


def _with_hashes(place: Place, text: str) -> None:
    assert "use an index that gives hashes" in text
    place.kept["listed"] = replace(place.kept["listed"], sha256=place.kept["files"][0].sha256)


def _split(place: Place) -> object:
    listed = {place.kept["listed"].name: place.kept["listed"]}
    return split_missing(FakeIndex(Holding(simple=listed, json=None)), "demo", "1.0", place.kept["files"][:1])


def _stored(place: Place) -> None:
    _build(place)
    (place.folder / "fetched").mkdir()
    file: File = place.kept["files"][0]
    place.kept["served"].keep(file.name, file.path.read_bytes())
    place.kept["listed"] = ListedFile(name=file.name, url=f"{place.kept['url']}/files/{file.name}", sha256=None)


def _fetch(place: Place) -> object:
    with BoundedSession(BOUNDS) as http:
        return index_of(place, http).fetch(place.kept["listed"], place.folder / "fetched")


def _fetchable(**changes: object) -> Callable[[Place], object]:
    def begin(place: Place) -> None:
        _stored(place)
        _with_hashes(place, "use an index that gives hashes")
        place.kept["good"] = place.kept["listed"]
        place.kept["listed"] = replace(place.kept["listed"], **changes)

    return begin


def _good(place: Place, _: str) -> None:
    place.kept["listed"] = place.kept["good"]


def _install(place: Place) -> object:
    return prove_testpypi._requirement("demo", place.kept["listed"], place.kept["files"][0])


def _slow(place: Place) -> None:
    place.kept["served"].lag = 10_000


SERVED: dict[str, Walk] = {
    "give-index-login": Walk(begin=_without_login, act=_upload, follow=_set_password),
    "correct-metadata": Walk(begin=_broken, act=_upload, follow=_build),
    "remove-run-folder": Walk(begin=_changed, act=_upload, follow=_build),
    "add-publisher": refused(403, "OIDC scoped token is not valid for project 'demo'", right),
    "use-token-of-project": refused(403, "The given token is not valid for project 'demo'", right),
    "make-token refused": refused(403, "Invalid or non-existent authentication information.", right),
    "verify-address": refused(403, "User has no verified email addresses", right),
    "set-up-two-factors": refused(403, "User does not have two-factor authentication enabled", right),
    "ask-project-owner": refused(403, "The user 'x' isn't allowed to upload to project 'demo'.", right),
    "check-on-index": refused(403, "no", right),
    "correct-publisher-name": refused(400, "Non-user identities cannot create new projects.", right),
    "ask-for-higher-limit": refused(400, "File too large. Limit for project 'demo' is 100 MB.", right),
    "choose-another-name": refused(400, "The name 'demo' isn't allowed.", right),
    "fix-what-index-names": refused(400, "Invalid value for classifiers.", _next_version),
    "release-new-version": refused(400, "This filename was previously used by a file.", _next_version),
    "release-new-version after 14 days": refused(400, "releases older than 14 days", _next_version),
    "release-new-version taken": refused(400, "File already exists ('x').", _next_version),
    "correct-upload-address": Walk(
        begin=keep(place={"upload": "{url}/legacy"}, wrong=("POST", "/legacy", lambda each: each.redirect("/legacy/"))),
        act=_upload,
        follow=keep(place={}, wrong=None),
    ),
    "check-status-page": Walk(
        begin=keep(wrong=("POST", "demo-1.0", lambda each: each.answer(500))), act=_upload, follow=right
    ),
    "wait-for-index": Walk(begin=_slow, act=_upload, follow=lambda place, _: setattr(place.kept["served"], "lag", 0)),
    "continue-with-first-files": Walk(begin=_others, act=_upload, follow=_first_files),
    "find-who-uploaded-others": Walk(begin=_foreign, act=_upload, follow=_next_version),
    "check-credential": reading(lambda each: each.answer(403)),
    "check-status-page of an index": reading(lambda each: each.answer(500)),
    "open-address": reading(lambda each: each.answer(200, "<h1>log in</h1>", kind="text/html")),
    "correct-address": Walk(
        begin=keep(place={"simple": "ftp://index.example/simple/"}),
        act=lambda place: reading(lambda _: None).act(place),
        follow=keep(place={}),
    ),
    "correct-address that redirects": reading(lambda each: each.redirect(each.path)),
    "compare-by-hand": Walk(begin=_without_hashes, act=_split, follow=_with_hashes),
    "use-index-with-hashes": Walk(begin=_stored, act=_fetch, follow=_with_hashes),
    "reject-changed-file": Walk(begin=_fetchable(sha256="0" * 64), act=_fetch, follow=_good),
    "check-what-is-served": Walk(begin=_fetchable(name="../x"), act=_fetch, follow=_good),
    "check-download-rights": Walk(
        begin=also(_fetchable(), keep(wrong=("GET", "/files", lambda each: each.answer(403)))),
        act=_fetch,
        follow=right,
    ),
    "check-index-by-hand": Walk(begin=_fetchable(url="javascript:x"), act=_install, follow=_good),
    "release-new-version staged": Walk(begin=_fetchable(sha256="0" * 64), act=_install, follow=_good),
}


@pytest.mark.parametrize("name", SERVED)
def test_advice_is_followed(name: str, tmp_path: Path) -> None:
    """After the login, the file or the server is corrected as the advice says, the same command works."""
    place = Place(
        folder=tmp_path, shell=cast("LocalShell", None), kept={"served": FaultyIndex(), "place": {}, "said": []}
    )

    def serve(exchange: Exchange) -> None:
        method, part, answer = place.kept.get("wrong") or ("", "", print)
        if exchange.command == method and part.encode() in exchange.read() + exchange.path.encode():
            answer(exchange)
        else:
            place.kept["served"](exchange)

    with run_server(serve) as server:
        place.kept["url"] = server.url
        walk(name, SERVED, place)


def access(wrong: AccessInputs, follow: Callable[[AccessInputs, str], AccessInputs]) -> Walk:
    """Surfaces at which ``access`` finds a problem, and the same ones after somebody did what the advice says."""
    return Walk(
        begin=keep(inputs=wrong),
        act=lambda place: place.kept["inputs"].look(),
        follow=lambda place, text: place.kept.update(inputs=follow(place.kept["inputs"], text)),
    )


def closed(marker: str) -> AccessInputs:
    """An index on which the project has this status."""
    return AccessInputs(index=FakeIndex(EMPTY, login="~/.pypirc", marker=ProjectStatus(marker=marker)))


FORGE = FakeForge(token=False)
ACCESS: dict[str, Walk] = {
    "unarchive-project": access(closed("archived"), lambda _, text: closed("active" if "unarchive" in text else "")),
    "ask-to-lift-quarantine": access(closed("quarantined"), lambda _, __: AccessInputs()),
    "give-index-login before the upload": access(
        AccessInputs(index=FakeIndex(EMPTY)),
        lambda _, __: AccessInputs(index=FakeIndex(EMPTY, login="the environment")),
    ),
    "give-forge-token": access(AccessInputs(forge=FORGE), lambda _, __: AccessInputs()),
    "allow-writing": access(
        AccessInputs(forge=FakeForge(seen=replace(WHOLE, can_push=False))), lambda _, __: AccessInputs()
    ),
    "unarchive-repository": access(
        AccessInputs(forge=FakeForge(seen=replace(WHOLE, archived=True))), lambda _, __: AccessInputs()
    ),
    "release-new-version attested": access(
        AccessInputs(forge=FakeForge(attests=True)), lambda _, __: AccessInputs(forge=FakeForge(attests=False))
    ),
}
WALKS = SERVED | ACCESS


@pytest.mark.parametrize("name", ACCESS)
def test_advice_before_the_release_is_followed(name: str, tmp_path: Path) -> None:
    """The stage ``access`` passes once the surface or the login is as the advice says."""
    walk(name, ACCESS, Place(folder=tmp_path, shell=cast("LocalShell", None)))
