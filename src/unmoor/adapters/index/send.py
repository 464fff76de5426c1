"""One try at an upload, by twine: its metadata form and its streaming; our time-outs, our limits, no printing.

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
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from requests.auth import HTTPBasicAuth

from unmoor.adapters.http.limits import Bounds, DeadlineWatch
from unmoor.adapters.http.retry_after import is_busy, requested_wait
from unmoor.adapters.http.session import Response, mount, transfer_time
from unmoor.adapters.http.urls import parsed, without_query
from unmoor.adapters.index.answers import words
from unmoor.artifacts.files import is_intact
from unmoor.errors import Conflict, Denied, InvalidDist, Unknown
from unmoor.ports.index import Busy, Lost, Refusal, Sending, Sent
from unmoor.ports.world import IndexPlace
from unmoor.products import File
from unmoor.util.text import clean

if TYPE_CHECKING:
    from twine.package import PackageFile
    from twine.repository import Repository

# An index opens and checks a file before it answers: that may take longer than a page.
_STALL = 120.0
_HOW = "give one where twine's users keep it (TWINE_PASSWORD, .pypirc, keyring), or in the world file"
# What an index says to a credential, and what to do. PyPI's words, as its upload API has them.
_REFUSED: tuple[tuple[str, str], ...] = (
    (
        r"OIDC scoped token is not valid",
        "the trusted publisher is another project's: add one under this project's 'Publishing' on {index}",
    ),
    (
        r"not valid for project",
        "give a token of this project, or one of the whole account for a project that is not there yet",
    ),
    (r"expired", "give a new token: nothing that was sent is lost"),
    (r"e-?mail", "verify the account's primary e-mail address on {index}"),
    (r"two.factor|2FA", "set two-factor authentication up on {index}, for the account that the token is of"),
    (
        r"isn't allowed to upload|not allowed to upload",
        "the project belongs to somebody else on {index}: ask its owner to add this account, or choose another name",
    ),
    (
        r"invalid or non-existent",
        "make a new token on {index}: this one was revoked, is cut off, or is another index's",
    ),
)
# What reading the metadata out of a broken archive may raise.
_BROKEN_ARCHIVE = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, tarfile.TarError, zlib.error)


@dataclass(frozen=True)
class Senders:
    """Twine's clients for one index, each with a session of its own: as many as send at the same time.

    A session is not for two threads at once, and a new one for every file would pay for a handshake
    and for reading the certificates each time. Close it.
    """

    idle: list[Repository] = field(default_factory=list)

    def send(self, place: IndexPlace, file: File, bounds: Bounds) -> Sending:
        """Upload one file in one request. Raises `Denied`, `Conflict`, `InvalidDist`; never asks a second time."""
        if not place.login.secret:
            raise Denied(
                f"there is no credential for uploads to {place.name}: {place.login.origin or 'none was found'}",
                where=without_query(place.upload),
                next_step=_HOW,
            )
        parsed(place.upload)
        package = _package(file)
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
        return judged(place, answer)

    @contextlib.contextmanager
    def _one(self, place: IndexPlace) -> Iterator[Repository]:
        """A client that nobody else uses meanwhile."""
        try:
            repository = self.idle.pop()
        except IndexError:
            repository = _repository(place)
        # Given outright: without it requests would look into .netrc. As bytes: requests would write Latin-1.
        login = place.login
        repository.session.auth = HTTPBasicAuth(login.username.encode(), login.secret.reveal().encode())
        try:
            yield repository
        finally:
            self.idle.append(repository)

    def close(self) -> None:
        """Close the connections. What is sent later opens new ones."""
        while self.idle:
            self.idle.pop().close()


def judged(place: IndexPlace, answer: Response) -> Sending:
    """What an answer to an upload means."""
    wait = requested_wait(answer.headers)
    if is_busy(answer.status, wait):
        return Busy(wait=wait or 0.0, reason=words(answer))
    match answer.status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            raise Denied(
                f"{place.name} refused the credential ({place.login.origin}): {answer.status} {words(answer)}",
                where=without_query(place.upload),
                next_step=_advice(place, words(answer)),
            )
        case status if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return Sent()
        case status if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            return Refusal(status=status, reason=f"it redirects to {_target(place, answer)}")
        case status if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return Refusal(status=status, reason=words(answer))
    return Lost(reason=f"{answer.status} {words(answer)}")


def _advice(place: IndexPlace, reason: str) -> str:
    """What to do about a credential that was refused in these words."""
    found = (text for said, text in _REFUSED if re.search(said, reason, re.IGNORECASE))
    usual = "look at {index} whether that credential is valid, for this index, and for this project"
    return next(found, usual).format(index=place.name)


def _target(place: IndexPlace, answer: Response) -> str:
    """Where it would lead; most often a slash is missing at the end of the upload address."""
    try:
        target = without_query(urljoin(place.upload, answer.headers.get("Location", "")))
    except ValueError:
        target = "an invalid address"
    return f"{target}: is {without_query(place.upload)} an upload address, with its slash at the end?"


def _package(file: File) -> PackageFile:
    """Read the file as twine does, which hashes it once more: these are the bytes and the digest that will be sent."""
    from twine.exceptions import TwineException
    from twine.package import PackageFile

    try:
        package = PackageFile.from_filename(str(file.path), comment=None)
    except (*_BROKEN_ARCHIVE, TwineException) as error:
        if not is_intact(file):
            raise _changed(file, "it cannot be read as what it was") from error
        raise InvalidDist(
            f"{file.name} cannot be uploaded: {clean(str(error))}",
            where=str(file.path),
            next_step="correct the project's metadata, and release it under a new version",
        ) from error
    if package.basefilename != file.name:
        raise _changed(file, f"its name is {package.basefilename}")
    if package.sha2_digest != file.sha256:
        raise _changed(file, f"its sha256 is {package.sha2_digest}, and {file.sha256} was tested")
    return package


def _changed(file: File, how: str) -> Conflict:
    return Conflict(
        f"{file.name} changed on disk: {how}",
        where=str(file.path),
        next_step="find out what changed it, remove the run's folder",
        retryable=True,
    )


def _repository(place: IndexPlace) -> Repository:
    """Twine's client, silenced: it prints by rich and warns by logging, and the talking is ours."""
    import twine.repository

    logger = logging.getLogger("twine")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    setattr(twine.repository, "print", _say_nothing)  # noqa: B010 - mypy does not know that name there
    repository = twine.repository.Repository(place.upload, None, None, disable_progress_bar=True)
    mount(repository.session, Bounds())
    return repository


def _say_nothing(*_args: object, **_kwargs: object) -> None:
    """Stand in for twine's print."""
