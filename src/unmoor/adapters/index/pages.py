"""Read the pages of an index: the simple index in JSON (PEP 691) or HTML (PEP 503), and the JSON API.

A login page, an empty body or the page of another project is `Unknown`, never "no files". mousebender reads the HTML.
Its JSON branch is ``json.loads`` without validation, so msgspec decodes JSON into the types below.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from math import prod
from typing import Any

import msgspec
from mousebender import simple
from packaging.utils import (
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from unmoor import advice
from unmoor.adapters.http.session import Response
from unmoor.adapters.http.urls import resolve_link, without_query
from unmoor.errors import Cause, UnmoorError
from unmoor.ports.failure import failure
from unmoor.ports.index import ListedFile, ProjectStatus
from unmoor.util.decode import decode_json, described
from unmoor.util.digests import is_sha256
from unmoor.util.text import clean
from unmoor.util.values import replace

_HTML = frozenset({"text/html", "application/vnd.pypi.simple.v1+html"})
_JSON = frozenset({"application/json", simple.ACCEPT_JSON_V1})
# Old kinds of files that an index may still list: eggs, installers, other archives.
_LEGACY = re.compile(r"\.(?:egg|exe|msi|rpm|dmg|deb|tar\.bz2|tar\.Z|tar\.xz|tgz|tar)$")
_LEGACY_PYTHON = re.compile(r"-py\d")
# Names on an index page are what anybody uploads. No index stores a longer one, and packaging makes every combination
# of a wheel's tags.
_LONGEST_NAME = 255
_MOST_TAGS = 1_000
_MOST_HEADING = 1_000


class PageEntry(msgspec.Struct, frozen=True):
    """One file of a simple page."""

    filename: str
    url: str
    hashes: dict[str, str]
    size: int | None = None
    yanked: bool | str = False
    provenance: str | None = None


class _Meta(msgspec.Struct, frozen=True):
    version: str = msgspec.field(name="api-version")


class _Status(msgspec.Struct, frozen=True):
    status: str = "active"
    reason: str | None = None


class _Page(msgspec.Struct, frozen=True):
    meta: _Meta
    name: str
    files: list[PageEntry]
    status: _Status | None = msgspec.field(name="project-status", default=None)


class SimplePage(msgspec.Struct, frozen=True, kw_only=True):
    """The page of a project in the simple index: its files, the project's status, and the answer that it came in."""

    answer: Response
    files: tuple[PageEntry, ...]
    status: ProjectStatus


class _Info(msgspec.Struct, frozen=True):
    name: str
    version: str
    project_urls: dict[str, str] | None = None
    home_page: str | None = None


class _Url(msgspec.Struct, frozen=True):
    filename: str
    url: str
    digests: dict[str, str]
    size: int | None = None
    yanked: bool = False


class _Json(msgspec.Struct, frozen=True):
    info: _Info
    urls: list[_Url]


class _PageSigns(HTMLParser):
    """Signs of an index page: PEP 629's meta tag or the heading "Links for NAME", and no form.

    ``meta`` has the contents of the meta tags, among them the project's status (PEP 792), which mousebender skips.
    """

    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.meta: dict[str, str] = {}
        self.form = False
        self._heading: list[str] = []
        self._inside = ""

    @property
    def heading(self) -> str:
        """The title and the headings of the page."""
        return " ".join(self._heading)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record the relevant tags."""
        values = dict(attrs)
        self.form = self.form or tag in {"form", "input"}
        self._inside = tag
        if tag == "base" and not self.base:
            self.base = values.get("href") or ""
        if tag == "meta" and (name := values.get("name")):
            self.meta.setdefault(name.lower(), values.get("content") or "")

    def handle_data(self, data: str) -> None:
        """Record the headings."""
        if self._inside in {"title", "h1"}:
            self._heading += [data] if len(self._heading) < _MOST_HEADING else []


def not_an_index_page(answer: Response, what: str) -> UnmoorError:
    """The error for an answer that is not the requested page of the index."""
    return failure(
        Cause.NONSENSE,
        f"the index answered {answer.status} with something that is not its page: {what}",
        where=without_query(answer.url),
        otherwise=advice.OPEN_ADDRESS(),
    )


def simple_page(answer: Response, project: str) -> SimplePage:
    """Read a page of the simple index. Addresses stay as they are, or are resolved against the page's base."""
    try:
        if answer.content_type in _JSON:
            page = decode_json(answer.body, _Page)
        elif answer.content_type in _HTML:
            page = _from_html(answer, project)
        else:
            raise not_an_index_page(answer, f"its content type is {clean(answer.content_type, 80) or 'not given'}")
    except (ValueError, simple.UnsupportedAPIVersion) as error:
        raise not_an_index_page(answer, clean(str(error))) from error
    if page.meta.version.partition(".")[0] != "1":
        raise not_an_index_page(answer, f"it has version {clean(page.meta.version, 20)} of the simple API, expected 1")
    if canonicalize_name(page.name) != canonicalize_name(project):
        raise not_an_index_page(answer, f"it is about {clean(page.name, 80)!r}, not {project!r}")
    status = page.status or _Status()
    return SimplePage(
        answer=answer,
        files=tuple(page.files),
        status=ProjectStatus(
            marker=clean(status.status, 40).lower() or "active", reason=clean(status.reason or "", 300)
        ),
    )


def _from_html(answer: Response, project: str) -> _Page:
    text = answer.body.decode("utf-8")
    signs = _PageSigns()
    signs.feed(text)
    with warnings.catch_warnings():
        # A newer minor version of the API only adds to it.
        warnings.simplefilter("ignore", simple.APIVersionWarning)
        page: _Page = msgspec.convert(simple.from_project_details_html(text, project), described(_Page))
    titled = "links for" in signs.heading.lower() and canonicalize_name(project) in canonicalize_name(signs.heading)
    has_files = any(version_of(entry.filename, project) for entry in page.files)
    if signs.form or not ("pypi:repository-version" in signs.meta or titled or has_files):
        raise not_an_index_page(answer, "a web page that does not list this project's files")
    status = _Status(signs.meta.get("pypi:project-status") or "active", signs.meta.get("pypi:project-status-reason"))
    page = replace(page, status=status)
    if signs.base:
        base = resolve_link(answer.url, signs.base)
        entries = [
            replace(entry, url=resolve_link(base, entry.url), provenance=_address(base, entry)) for entry in page.files
        ]
        return replace(page, files=entries)
    return page


def json_links(answer: Response, project: str, version: str) -> Mapping[str, str]:
    """The addresses that a version gives of itself, in the answer of the JSON API, safe to print."""
    info = _json(answer, project, version).info
    every = {"Homepage": info.home_page or "", **(info.project_urls or {})}
    return {clean(label, 80): clean(url, 500) for label, url in every.items() if url}


def json_page(answer: Response, project: str, version: str) -> tuple[PageEntry, ...]:
    """Read the answer of the JSON API about one version."""
    page = _json(answer, project, version)
    return tuple(
        PageEntry(filename=each.filename, url=each.url, hashes=each.digests, size=each.size, yanked=each.yanked)
        for each in page.urls
    )


def _json(answer: Response, project: str, version: str) -> _Json:
    if answer.content_type != "application/json":
        raise not_an_index_page(answer, f"its content type is {clean(answer.content_type, 80) or 'not given'}")
    try:
        page = decode_json(answer.body, _Json)
        same = Version(page.info.version) == Version(version)
    except ValueError as error:
        raise not_an_index_page(answer, clean(str(error))) from error
    if not same or canonicalize_name(page.info.name) != canonicalize_name(project):
        raise not_an_index_page(answer, f"it is about {clean(f'{page.info.name} {page.info.version}', 80)}")
    return page


def listed_files(
    answer: Response, entries: Iterable[PageEntry], project: str, version: str
) -> Mapping[str, ListedFile]:
    """The files of one version by name, with absolute, checked addresses.

    Raises `Unknown` for an invalid hash or address, and for one name with two hashes.
    """
    wanted = Version(version)
    found: dict[str, ListedFile] = {}
    for entry in entries:
        if version_of(entry.filename, project) == wanted:
            _add(found, _listed_file(answer, entry), answer)
    return found


def files_by_version(
    answer: Response, entries: Iterable[PageEntry], project: str
) -> dict[Version, dict[str, ListedFile]]:
    """The files of every version, as `listed_files` has those of one. Names without a version are skipped."""
    found: dict[Version, dict[str, ListedFile]] = {}
    for entry in entries:
        if (version := version_of(entry.filename, project)) is not None:
            _add(found.setdefault(version, {}), _listed_file(answer, entry), answer)
    return found


def _listed_file(answer: Response, entry: PageEntry) -> ListedFile:
    return ListedFile(
        name=entry.filename,
        url=resolve_link(answer.url, entry.url),
        sha256=_digest(answer, entry),
        size=entry.size,
        # PEP 592: an empty reason in HTML is a yank, too.
        yanked=entry.yanked is not False,
        provenance=_address(answer.url, entry),
    )


def _add(found: dict[str, ListedFile], file: ListedFile, answer: Response) -> None:
    if found.setdefault(file.name, file).sha256 != file.sha256:
        raise not_an_index_page(answer, f"it lists {clean(file.name)} twice, with two hashes")


def _address(base: str, entry: PageEntry) -> str:
    """The address of a file's attestations, empty if it has none. Who reads them checks it again, as it may be bad."""
    try:
        return resolve_link(base, entry.provenance) if entry.provenance else ""
    except UnmoorError:
        return entry.provenance or ""


def _digest(answer: Response, entry: PageEntry) -> str | None:
    sha256 = entry.hashes.get("sha256")
    if sha256 is not None and not is_sha256(sha256.lower()):
        raise not_an_index_page(answer, f"the sha256 of {clean(entry.filename)} is {clean(sha256, 80)!r}")
    return sha256.lower() if sha256 else None


def version_of(filename: str, project: str) -> Version | None:
    """The version in a file name, ``None`` if it is not a file of that project.

    packaging parses current names. For older kinds (eggs, installers, other archives) the version is what is between
    the project's name and the extension.
    """
    name = canonicalize_name(project)
    if len(filename) > _LONGEST_NAME:
        return None
    parsers: tuple[Any, ...] = (parse_wheel_filename, parse_sdist_filename)
    for parse in parsers[1:] if _has_many_tags(filename) else parsers:
        try:
            owner, version, *_ = parse(filename)
        except ValueError:
            continue
        return version if owner == name else None
    pattern = r"[-_.]+".join(re.escape(part) for part in name.split("-"))
    match = re.match(rf"{pattern}-(?P<rest>[^-].*)", filename, re.IGNORECASE)
    if match is None or not (ending := _LEGACY.search(match["rest"])):
        return _loose_wheel(match["rest"]) if match else None
    stem = _LEGACY_PYTHON.split(match["rest"][: ending.start()], maxsplit=1)[0]
    return _version(stem.partition(".win")[0].partition(".linux")[0])


def _has_many_tags(filename: str) -> bool:
    """Whether a wheel's name stands for more combinations of tags than any real one."""
    return prod(part.count(".") + 1 for part in filename.removesuffix(".whl").split("-")[-3:]) > _MOST_TAGS


def _loose_wheel(rest: str) -> Version | None:
    """The version in the name of a wheel that the current rules refuse, but that an index once accepted."""
    return _version(rest.partition("-")[0].replace("_", "-")) if rest.endswith(".whl") else None


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except ValueError:  # InvalidVersion, or a number of thousands of digits
        return None
