"""Upload a file with twine, in one try: twine's form and streaming, unmoor's time-outs and limits, no output.

Uses twine's internals, so pyproject.toml excludes its next major version: `PackageFile` and `Repository` are not its
public API, and the ``print`` that `twine.repository` calls is replaced. `config.real_world` reads two constants of
`twine.utils`.
"""

from __future__ import annotations

import contextlib
import logging
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import msgspec
from requests.auth import HTTPBasicAuth

from unmoor import advice
from unmoor.adapters.http.limits import Bounds, DeadlineWatch
from unmoor.adapters.http.retry_after import is_busy, requested_wait
from unmoor.adapters.http.session import Response, masked, mount, transfer_time
from unmoor.adapters.http.urls import parsed, without_query
from unmoor.adapters.index.answers import error_message
from unmoor.advice import NextStep, Template
from unmoor.artifacts.files import is_intact
from unmoor.errors import Conflict, Denied, InvalidDist, Unknown
from unmoor.ports.index import Busy, Lost, Refusal, Sending, Sent
from unmoor.ports.world import IndexPlace
from unmoor.products import File
from unmoor.util.decode import decode_json
from unmoor.util.text import clean
from unmoor.util.values import replace

if TYPE_CHECKING:
    from twine.package import PackageFile
    from twine.repository import Repository

# An index opens and checks a file before it answers, which may take longer than serving a page.
_STALL = 120.0
# PyPI's reasons for refusing a credential at an upload, and what to do about each.
_ADVICE: tuple[tuple[str, Template], ...] = (
    (
        r"OIDC scoped token is not valid",
        advice.ADD_PUBLISHER,
    ),
    (
        r"not valid for project",
        advice.USE_TOKEN_OF_PROJECT,
    ),
    (r"expired", advice.MAKE_TOKEN),
    (r"e-?mail", advice.VERIFY_ADDRESS),
    (r"two.factor|2FA", advice.SET_UP_TWO_FACTORS),
    (
        r"isn't allowed to upload|not allowed to upload",
        advice.ASK_PROJECT_OWNER,
    ),
    (
        r"invalid or non-existent",
        advice.MAKE_TOKEN,
    ),
)
# What reading the metadata of a broken archive may raise.
_BROKEN_ARCHIVE = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, tarfile.TarError, zlib.error)


class Senders(msgspec.Struct, frozen=True):
    """A pool of twine's clients for one index, one for each thread that uploads. Close it.

    Two threads must not share a session, and a new session for every file costs a handshake and a read of the
    certificates.
    """

    idle: list[Repository] = msgspec.field(default_factory=list)

    def send(self, place: IndexPlace, file: File, bounds: Bounds, attestation: bytes = b"") -> Sending:
        """Upload one file in one request, without a retry. Raises `Denied`, `Conflict`, `InvalidDist`.

        ``attestation`` is a JSON object (PEP 740), empty for none.
        """
        if not place.login.secret:
            raise Denied(
                f"there is no credential for uploads to {place.name}: {place.login.origin or 'none was found'}",
                where=without_query(place.upload),
                next_step=advice.GIVE_INDEX_LOGIN(),
            )
        parsed(place.upload)
        package = _package(file)
        if attestation:
            package.attestations = [decode_json(attestation, dict[str, Any])]
        bounds = replace(bounds, stall=max(bounds.stall, _STALL), total=transfer_time(file.size))
        with self._one(place) as repository, DeadlineWatch(bounds=bounds):
            try:
                response = repository.upload(package, max_redirects=1)
            except Unknown as error:
                return Lost(reason=error.what)
        answer = Response(
            status=response.status_code,
            reason=clean(str(response.reason or "")),
            headers=response.headers,
            body=response.content,
            url=place.upload,
        )
        return interpret_answer(place, masked(answer, [place.login.secret]))

    @contextlib.contextmanager
    def _one(self, place: IndexPlace) -> Iterator[Repository]:
        """A client that nobody else uses at the same time."""
        try:
            repository = self.idle.pop()
        except IndexError:
            repository = _repository(place)
        # Always set: without it requests reads .netrc. As bytes: requests encodes text as Latin-1.
        login = place.login
        repository.session.auth = HTTPBasicAuth(login.username.encode(), login.secret.reveal().encode())
        try:
            yield repository
        finally:
            self.idle.append(repository)

    def close(self) -> None:
        """Close the connections. A later upload opens new ones."""
        while self.idle:
            self.idle.pop().close()


def interpret_answer(place: IndexPlace, answer: Response) -> Sending:
    """Return what an answer to an upload means. Raises `Denied`.

    An answer of success counts only if it is the index's own. Otherwise the file may or may not be there.
    """
    wait = requested_wait(answer.headers)
    if is_busy(answer.status, wait):
        return Busy(wait=wait or 0.0, reason=error_message(answer))
    match answer.status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            raise Denied(
                f"{place.name} refused the credential ({place.login.origin}): {answer.status} {error_message(answer)}",
                where=without_query(place.upload),
                next_step=_advice(place, error_message(answer)),
            )
        case status if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            # Indexes answer with an empty body. Anything else may come from a proxy or a login page.
            return Lost(reason=f"{status} {error_message(answer)}") if answer.body.strip() else Sent()
        case status if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            return Refusal(status=status, reason=f"it redirects to {_target(place, answer)}")
        case status if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return Refusal(status=status, reason=error_message(answer))
    return Lost(reason=f"{answer.status} {error_message(answer)}")


def _advice(place: IndexPlace, reason: str) -> NextStep:
    """What to do about a credential that was refused for this reason."""
    found = (entry for pattern, entry in _ADVICE if re.search(pattern, reason, re.IGNORECASE))
    return next(found, advice.CHECK_ON_INDEX)(index=place.name)


def _target(place: IndexPlace, answer: Response) -> str:
    """The target of a redirect. The usual cause is a missing slash at the end of the upload address."""
    try:
        target = without_query(urljoin(place.upload, answer.headers.get("Location", "")))
    except ValueError:
        target = "an invalid address"
    return f"{target}: is {without_query(place.upload)} the upload address, with a slash at the end?"


def _package(file: File) -> PackageFile:
    """Read the file with twine, which hashes it again. Raises `Conflict` if it changed, `InvalidDist`."""
    from twine.exceptions import TwineException
    from twine.package import PackageFile

    try:
        package = PackageFile.from_filename(str(file.path), comment=None)
    except (*_BROKEN_ARCHIVE, TwineException) as error:
        if not is_intact(file):
            raise _changed(file, "it is not readable any more") from error
        raise InvalidDist(
            f"{file.name} cannot be uploaded: {clean(str(error))}",
            where=str(file.path),
            next_step=advice.CORRECT_METADATA(),
        ) from error
    if package.basefilename != file.name:
        raise _changed(file, f"its name is {package.basefilename}")
    if package.sha2_digest != file.sha256:
        raise _changed(file, f"its sha256 is {package.sha2_digest}, and that of the tested file is {file.sha256}")
    return package


def _changed(file: File, how: str) -> Conflict:
    return Conflict(
        f"{file.name} changed on disk: {how}",
        where=str(file.path),
        next_step=advice.REMOVE_RUN_FOLDER(),
        retryable=True,
    )


def _repository(place: IndexPlace) -> Repository:
    """Twine's client, silenced: it prints with rich and warns with logging."""
    import twine.repository

    logger = logging.getLogger("twine")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    setattr(twine.repository, "print", _print_nothing)  # noqa: B010 - mypy does not know that name there
    repository = twine.repository.Repository(place.upload, None, None, disable_progress_bar=True)
    mount(repository.session, Bounds())
    return repository


def _print_nothing(*_args: object, **_kwargs: object) -> None:
    """Replace twine's ``print``."""
