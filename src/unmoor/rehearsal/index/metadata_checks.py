"""PyPI's rules for core metadata: those of packaging, and its own."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parseaddr
from http import HTTPStatus
from typing import TYPE_CHECKING

from packaging.metadata import InvalidMetadata, Metadata
from packaging.requirements import InvalidRequirement, Requirement

from unmoor.rehearsal.index.refusal import Refusal

if TYPE_CHECKING:
    from packaging.metadata import RawMetadata

KNOWN = frozenset({"1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"})
# PyPI reports one error, and these before the others.
_FIRST = ("metadata-version", "name", "version")


def check(raw: RawMetadata) -> Metadata:
    """Check the metadata of a form. Raises `Refusal` with the first error."""
    try:
        metadata = Metadata.from_raw(raw)
    except ExceptionGroup as group:
        raise _refusal([each for each in group.exceptions if isinstance(each, InvalidMetadata)]) from None
    errors = [InvalidMetadata(field, text) for field, text in _errors(metadata)]
    if errors:
        raise _refusal(errors)
    return metadata


def _refusal(errors: list[InvalidMetadata]) -> Refusal:
    fields = [error.field for error in errors]
    field = next((each for each in _FIRST if each in fields), min(fields))
    return Refusal(HTTPStatus.BAD_REQUEST, f"{errors[fields.index(field)]}".rstrip(".") + ".")


def _errors(metadata: Metadata) -> Iterator[tuple[str, str]]:
    """Yield everything that PyPI refuses but packaging accepts, each with its field."""
    if metadata.metadata_version not in KNOWN:
        yield "metadata-version", f"{metadata.metadata_version!r} is not a valid metadata version"
    if metadata.version.local:
        yield "version", f"The use of local versions in '{metadata.version}' is not allowed."
    if len(metadata.summary or "") > 512:  # noqa: PLR2004 - PyPI's limit
        yield "summary", "'summary' field must be 512 characters or less."
    yield from _emails(metadata)
    yield from _classifiers(metadata)
    yield from _urls(metadata)
    yield from _requirements(metadata)
    if "dynamic" in (metadata.dynamic or ()):
        yield "dynamic", "Dynamic field 'dynamic' is not a valid dynamic field."
    if metadata.license and metadata.license_expression:
        yield "license", "License is deprecated when License-Expression is present."


def _emails(metadata: Metadata) -> Iterator[tuple[str, str]]:
    from email_validator import EmailNotValidError, validate_email

    for field, value in (("author-email", metadata.author_email), ("maintainer-email", metadata.maintainer_email)):
        address = parseaddr(value or "")[1]
        try:
            if address:
                validate_email(address, check_deliverability=False)
        except EmailNotValidError as error:
            yield field, f"{address!r} is not a valid email address: {error}"


def _classifiers(metadata: Metadata) -> Iterator[tuple[str, str]]:
    from trove_classifiers import classifiers, deprecated_classifiers

    for each in sorted(set(metadata.classifiers or ())):
        if each in deprecated_classifiers:
            instead = deprecated_classifiers[each]
            use = f", use one of {instead} instead." if instead else "."
            yield "classifier", f"The classifier {each!r} has been deprecated{use}"
        elif each not in classifiers:
            yield "classifier", f"{each!r} is not a valid classifier."


def _urls(metadata: Metadata) -> Iterator[tuple[str, str]]:
    for field, url in (("home-page", metadata.home_page), ("download-url", metadata.download_url)):
        if url is not None and not _is_url(url):
            yield field, f"{url!r} is not a valid url."
    for label, url in (metadata.project_urls or {}).items():
        if not label:
            yield "project-url", "Must have a label"
        elif len(label) > 32:  # noqa: PLR2004 - PyPI's limit
            yield "project-url", f"{label!r} must be 32 characters or less."
        elif not url:
            yield "project-url", "Must have a URL"
        elif not _is_url(url):
            yield "project-url", f"{url!r} is not a valid url"


def _is_url(text: str) -> bool:
    import rfc3986  # type: ignore[import-untyped]  # it has no types
    from rfc3986 import exceptions, validators

    parts = ("scheme", "host", "port", "path", "query")
    try:
        reference = rfc3986.uri_reference(text).normalize()
        validators.Validator().allow_schemes("http", "https").require_presence_of("scheme").check_validity_of(
            *parts
        ).validate(reference)
    except (exceptions.RFC3986Exception, ValueError):
        return False
    return True


def _requirements(metadata: Metadata) -> Iterator[tuple[str, str]]:
    for field, texts in (("provides-dist", metadata.provides_dist), ("obsoletes-dist", metadata.obsoletes_dist)):
        for text in texts or ():
            try:
                direct = Requirement(text).url is not None
            except InvalidRequirement as error:
                yield field, f"{text!r} is invalid: {error}"
            else:
                if direct:
                    yield field, f"Can't have direct dependency: {text!r}"
    for each in metadata.requires_dist or ():
        if each.url is not None:
            yield "requires-dist", f"Can't have direct dependency: {each}"
