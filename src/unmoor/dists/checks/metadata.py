"""Check METADATA and PKG-INFO against the declared version of core metadata, and against PyPI's own rules.

``packaging.metadata`` validates the format, as it does for twine and PyPI: twine the fields as written, PyPI those that
arrive in the upload form. Classifiers, e-mail addresses and URLs are validated with the libraries that PyPI uses.
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

from unmoor.dists.checks import pinned
from unmoor.dists.checks.rules import By, CheckRule, Problem, violation
from unmoor.dists.inspect import parse_metadata
from unmoor.util.text import clean

if TYPE_CHECKING:
    from packaging.metadata import InvalidMetadata, Metadata, RawMetadata

UNREADABLE = CheckRule(
    name="metadata-unreadable", refuses="fields that are unknown, repeated or not UTF-8", by=By.UPLOADER
)
UNKNOWN_VERSION = CheckRule(
    name="metadata-version", refuses="a missing Metadata-Version, or one that PyPI does not know"
)
NEWER = CheckRule(name="metadata-newer", refuses="fields that are newer than the declared Metadata-Version")
NAME = CheckRule(name="metadata-name", refuses="a missing or invalid project name")
RELEASE = CheckRule(name="metadata-release", refuses="a missing version, or one that is not valid under PEP 440")
LOCAL = CheckRule(name="metadata-local", refuses="local versions such as 1.0+abc")
SUMMARY = CheckRule(name="metadata-summary", refuses="a summary with several lines or more than 512 characters")
CONTENT_TYPE = CheckRule(name="metadata-content-type", refuses="a description content type that PyPI does not render")
DYNAMIC = CheckRule(name="metadata-dynamic", refuses="dynamic fields that are unknown or must be static")
EXTRA = CheckRule(name="metadata-extra", refuses="invalid extra names")
PYTHON = CheckRule(name="metadata-python", refuses="an invalid Requires-Python")
REQUIREMENT = CheckRule(name="metadata-requirement", refuses="invalid requirements")
DIRECT = CheckRule(name="metadata-direct", refuses="requirements with a URL (name @ https://...)")
EXPRESSION = CheckRule(name="licence-expression", refuses="a License-Expression that is not a valid SPDX expression")
LICENCE_PATH = CheckRule(name="licence-path", refuses="a License-File that is not a plain relative path")
CLASSIFIER = CheckRule(name="metadata-classifier", refuses="classifiers that PyPI does not know or no longer accepts")
PRIVATE = CheckRule(name="metadata-private", refuses="`Private ::` classifiers, which keep a project off the index")
EMAIL = CheckRule(name="metadata-email", refuses="invalid e-mail addresses")
URL = CheckRule(name="metadata-url", refuses="URLs that are invalid or not http(s)")
LABEL = CheckRule(
    name="metadata-url-label", refuses="project URLs without a label, or with a label of more than 32 characters"
)
UNSENT = CheckRule(
    name="metadata-unsent",
    refuses="an invalid Import-Name or Import-Namespace, which twine checks and does not send",
    by=By.UPLOADER,
)
PLACEHOLDER = CheckRule(
    name="metadata-placeholder",
    refuses="`UNKNOWN` or nothing as the value of a field that has a format, or a name with other characters",
    by=By.UPLOADER,
)
STRICTER = CheckRule(
    name="metadata-stricter",
    refuses="a value that the installed version of packaging refuses, and the one that PyPI uses accepts",
    by=By.UPLOADER,
)
CHARSET = CheckRule(
    name="metadata-charset",
    refuses="a description content type with `charset=utf-8` in lower case, which older versions of packaging refuse",
    warns=True,
)
RULES = (
    UNREADABLE, UNKNOWN_VERSION, NEWER, NAME, RELEASE, LOCAL, SUMMARY, CONTENT_TYPE, DYNAMIC, EXTRA, PYTHON,
    REQUIREMENT, DIRECT, EXPRESSION, LICENCE_PATH, CLASSIFIER, PRIVATE, EMAIL, URL, LABEL, UNSENT, PLACEHOLDER,
    STRICTER, CHARSET,
)  # fmt: skip

# The versions that PyPI accepts. packaging may know newer ones.
VERSIONS = ("1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5")
# Versions that define License-File. The files it names must be in the archive.
_LICENCE_FILES_FROM = ("2.4", "2.5")
_BY_FIELD = {
    "metadata-version": UNKNOWN_VERSION,
    "name": NAME,
    "version": RELEASE,
    "summary": SUMMARY,
    "description-content-type": CONTENT_TYPE,
    "dynamic": DYNAMIC,
    "provides-extra": EXTRA,
    "requires-python": PYTHON,
    "requires-dist": REQUIREMENT,
    "license-expression": EXPRESSION,
    "license-file": LICENCE_PATH,
}
_SUMMARY_LIMIT, _LABEL_LIMIT = 512, 32
# Python reads a content type in quadratic time.
_CONTENT_TYPE_LIMIT = 200
# Old build backends wrote this into empty fields.
_UNKNOWN = "UNKNOWN"
_UNSAFE = re.compile(r"[^A-Za-z0-9.]+")


class CheckedMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """Metadata as written, and its problems.

    ``licence_files`` must be in the archive. ``undeclared`` are licence files in metadata whose version
    has no such field, as setuptools wrote them: twine does not send them.
    """

    raw: RawMetadata
    licence_files: tuple[str, ...]
    undeclared: tuple[str, ...]
    problems: tuple[Problem, ...]


def check_metadata(data: bytes) -> CheckedMetadata:
    """Check the bytes of METADATA or PKG-INFO."""
    try:
        written, unparsed = parse_metadata(data)
        return _check_fields(written, unparsed)
    except ValueError as error:  # also of numbers with thousands of digits, in versions
        problem = violation(UNREADABLE, f"it cannot be read: {clean(str(error), 200)}")
        return CheckedMetadata(raw={}, licence_files=(), undeclared=(), problems=(problem,))


def _check_fields(written: RawMetadata, unparsed: Collection[str]) -> CheckedMetadata:
    from packaging.metadata import Metadata

    if len(written.get("description_content_type", "")) > _CONTENT_TYPE_LIMIT:
        msg = f"its Description-Content-Type has more than {_CONTENT_TYPE_LIMIT} characters"
        raise ValueError(msg)
    raw = _as_received(written)
    files = tuple(raw.get("license_files", ()))
    modern = raw.get("metadata_version", "") in _LICENCE_FILES_FROM
    if not modern:
        written.pop("license_files", None)
        raw.pop("license_files", None)
    problems = [violation(UNREADABLE, f"the field {name} is unknown, malformed or repeated") for name in unparsed]
    found = [error for error in _errors(raw) if error.field not in unparsed]
    problems += [_problem_of(error, raw) for error in found]
    seen = {error.field for error in found}
    problems += [
        violation(PLACEHOLDER, f"{error.field}: {error}")
        for error in _errors(written)
        if error.field not in seen and error.field not in unparsed
    ]
    problems += _check_index_rules(Metadata.from_raw(raw, validate=False), raw)
    return CheckedMetadata(
        raw=raw,
        licence_files=files if modern else (),
        undeclared=() if modern else files,
        problems=tuple(problems),
    )


def _as_received(written: RawMetadata) -> RawMetadata:
    """The fields that PyPI goes on with (forklift/decorators.py and metadata.py).

    It drops a field whose last value is ``UNKNOWN`` or whose only value is empty, and escapes NUL characters. Before,
    twine has replaced other characters in the name (twine/package.py).
    """
    kept: dict[str, Any] = {}
    for name, value in cast("Mapping[str, Any]", written).items():
        values = [", ".join(value)] if name == "keywords" else _values(value)
        if values == [""] or (values and values[-1].strip() == _UNKNOWN):
            continue
        kept[name] = _UNSAFE.sub("-", value) if name == "name" else _escape_nul(value)
    return cast("RawMetadata", kept)


def _escape_nul(value: str | list[str] | dict[str, str]) -> str | list[str] | dict[str, str]:
    """A value in which PyPI escaped NUL characters. Of several values, it keeps the last one only."""
    if isinstance(value, str):
        return value.replace("\0", "\\x00")
    if isinstance(value, list) and value and "\0" in value[-1]:
        return [value[-1].replace("\0", "\\x00")]
    return value


def _values(value: str | list[str] | dict[str, str]) -> list[str]:
    """The values of a field as twine sends them."""
    if isinstance(value, str):
        return [value]
    return list(value) if isinstance(value, list) else [f"{label}, {url}" for label, url in value.items()]


def _errors(raw: RawMetadata) -> list[InvalidMetadata]:
    """Validate fields with packaging, and sort the errors by field."""
    from packaging.errors import ExceptionGroup as Invalid
    from packaging.metadata import InvalidMetadata, Metadata

    try:
        Metadata.from_raw(raw)
    except Invalid as group:
        errors = [each for each in group.exceptions if isinstance(each, InvalidMetadata)]
        return sorted(errors, key=lambda each: (each.field, str(each)))
    return []


def _problem_of(error: InvalidMetadata, raw: RawMetadata) -> Problem:
    """Turn an error of packaging into a problem of the matching rule."""
    rule = _BY_FIELD.get(error.field, UNSENT)
    if rule is not UNSENT and "introduced in metadata version" in str(error):
        rule = NEWER
    elif pinned.accepts(error.field, raw):
        rule = STRICTER
    cause = f" ({error.__cause__})" if error.__cause__ else ""
    return violation(rule, f"{error.field}: {error}{cause}")


def _check_index_rules(metadata: Metadata, raw: RawMetadata) -> Iterator[Problem]:
    """Check PyPI's own rules. Fields that packaging already refused are skipped."""
    declared = raw.get("metadata_version", "")
    if _valid_field(metadata, "metadata_version") and declared not in VERSIONS:
        yield violation(UNKNOWN_VERSION, f"PyPI does not know metadata version {declared}")
    version = _valid_field(metadata, "version")
    if version is not None and version.local:
        yield violation(LOCAL, f"{version} is a local version, which public indexes refuse")
    if len(raw.get("summary", "")) > _SUMMARY_LIMIT:
        yield violation(SUMMARY, f"the summary has {len(raw['summary'])} characters, but the limit is {_SUMMARY_LIMIT}")
    if "dynamic" in {each.lower() for each in raw.get("dynamic", ())}:
        yield violation(DYNAMIC, "dynamic: 'Dynamic' is not a valid dynamic field")
    yield from _check_content_type(raw.get("description_content_type", ""))
    yield from _check_classifiers(set(raw.get("classifiers", ())))
    yield from _check_emails(raw)
    yield from _check_urls(raw)
    yield from _check_requirements(metadata, raw)


def _valid_field(metadata: Metadata, field: str) -> Any:
    """Return a field's value, or ``None`` if it is invalid."""
    from packaging.metadata import InvalidMetadata

    try:
        return getattr(metadata, field)
    except InvalidMetadata:
        return None


def _check_content_type(text: str) -> Iterator[Problem]:
    """Warn about a charset that only newer versions of packaging accept."""
    if (charset := pinned.charset(text)) not in {"", "UTF-8"} and charset.upper() == "UTF-8":
        yield violation(CHARSET, f"description-content-type: write charset=UTF-8 instead of {charset}")


def _check_classifiers(found: set[str]) -> Iterator[Problem]:
    """Check the classifiers against the list that PyPI uses."""
    if not found:
        return
    from trove_classifiers import all_classifiers, deprecated_classifiers

    for each in sorted(found.difference(all_classifiers)):
        if each.startswith("Private ::"):
            yield violation(PRIVATE, f"the classifier {each!r} keeps this project off the index")
        else:
            yield violation(
                CLASSIFIER, f"{each!r} is not a classifier (or newer than trove-classifiers on this machine)"
            )
    for each in sorted(found.intersection(deprecated_classifiers)):
        instead = ", ".join(deprecated_classifiers[each])
        yield violation(
            CLASSIFIER, f"the classifier {each!r} is no longer accepted" + (f": use {instead}" if instead else "")
        )


def _check_emails(raw: RawMetadata) -> Iterator[Problem]:
    """Check that the first address in each field is valid."""
    addresses = {"author-email": raw.get("author_email", ""), "maintainer-email": raw.get("maintainer_email", "")}
    for field, text in addresses.items():
        from email_validator import EmailNotValidError, validate_email

        try:
            address = email.utils.parseaddr(text)[1]
        except RecursionError:
            yield violation(EMAIL, f"{field}: its comments are nested too deeply")
            continue
        if not address:
            continue
        try:
            validate_email(address, check_deliverability=False)
        except EmailNotValidError as error:
            yield violation(EMAIL, f"{field}: {address!r} is not a valid e-mail address: {error}")


def _check_urls(raw: RawMetadata) -> Iterator[Problem]:
    """Check that every URL is valid, and that project URLs have a short label."""
    for field, url in (("home-page", raw.get("home_page")), ("download-url", raw.get("download_url"))):
        if url is not None and not _is_url(url):
            yield violation(URL, f"{field}: {url!r} is not an http(s) URL")
    for label, url in raw.get("project_urls", {}).items():
        if not label or len(label) > _LABEL_LIMIT:
            yield violation(LABEL, f"project-url: the label {label!r} must have 1 to {_LABEL_LIMIT} characters")
        elif not _is_url(url):
            yield violation(URL, f"project-url: {url!r} is not an http(s) URL")


def _is_url(text: str) -> bool:
    """Whether a text is an http(s) URL by PyPI's rules: RFC 3986, without requiring a host."""
    from rfc3986 import uri_reference  # type: ignore[import-untyped]  # it has no types
    from rfc3986.exceptions import RFC3986Exception  # type: ignore[import-untyped]
    from rfc3986.validators import Validator  # type: ignore[import-untyped]

    validator = Validator().allow_schemes("http", "https").require_presence_of("scheme")
    try:
        validator.check_validity_of("scheme", "host", "port", "path", "query").validate(uri_reference(text).normalize())
    except (RFC3986Exception, ValueError):
        return False
    return True


def _check_requirements(metadata: Metadata, raw: RawMetadata) -> Iterator[Problem]:
    """Check that no requirement names a URL."""
    from packaging.requirements import InvalidRequirement, Requirement

    requirements = list(_valid_field(metadata, "requires_dist") or ())
    for field in ("provides_dist", "obsoletes_dist"):
        for text in cast("Mapping[str, list[str]]", raw).get(field, ()):
            try:
                requirements.append(Requirement(text))
            except InvalidRequirement as error:
                yield violation(REQUIREMENT, f"{field.replace('_', '-')}: {text!r} is invalid: {error}")
    yield from (
        violation(DIRECT, f"the requirement {each} names a URL, which the index refuses")
        for each in requirements
        if each.url is not None
    )
