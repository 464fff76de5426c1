"""The conversation with one repository of a registry: logins, waits, and which answers are errors."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from unmoor.adapters.http.session import BoundedSession, Response
from unmoor.adapters.registry.answers import describe_errors, errors_of, with_patience
from unmoor.adapters.registry.auth import RegistryAuth, denied
from unmoor.artifacts import oci
from unmoor.errors import Denied
from unmoor.ports.clock import Clock
from unmoor.ports.world import Login, RegistryPlace
from unmoor.util.secret import Secret


class RequestForbidden(Denied):
    """403: the login is known, and may not do that. Asking again in other words does no harm."""


class RegistryRequests:
    """Sends requests below ``/v2/<repository>/``. ``page`` is where a person changes who may do what."""

    def __init__(
        self, place: RegistryPlace, repository: str, http: BoundedSession, clock: Clock | None, page: str
    ) -> None:
        self._place = place
        self._repository = repository
        self._http = http
        self._clock = clock
        self._page = page
        self._door = RegistryAuth(place, self._fetch)

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        push: bool = False,
        scope: str = "",
        anonymous: bool = False,
    ) -> Response:
        """Send one request, with whatever the registry wants to see. Any status that is left is an answer.

        Raises `Denied` for 401 and 403, `Unknown` for 429 that does not end, for 5xx and where there
        is no whole answer; a PUT is then not sent again, all others are.
        """
        url = f"{self._place.address}/v2/{self._repository}/{path}"
        answer = with_patience(
            lambda: self.send(method, url, headers or {}, body, push=push, scope=scope, anonymous=anonymous),
            self._clock,
            again=method != "PUT",
        )
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise denied(answer, self._place, anonymous=anonymous or not self._place.login.secret)
        refused = answer.status > HTTPStatus.FORBIDDEN and any(code == "DENIED" for code, _ in errors_of(answer))
        if answer.status == HTTPStatus.FORBIDDEN or refused:
            raise RequestForbidden(
                f"the registry forbids it: {describe_errors(answer)}",
                where=f"{self._place.host}/{self._repository}",
                next_step=f"look at who may write to the package: {self._page}",
            )
        return answer

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        push: bool = False,
        scope: str = "",
        anonymous: bool = False,
    ) -> Response:
        """One exchange; after a challenge a second one, and no third."""
        wanted = f"repository:{self._repository}:{scope or ('pull,push' if push else 'pull')}"
        secrets = self._door.headers(wanted, anonymous=anonymous)
        answer = self._once(method, url, headers, secrets, body)
        if answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        self._door.answer(answer, wanted, anonymous=anonymous, sent=bool(secrets))
        return self._once(method, url, headers, self._door.headers(wanted, anonymous=anonymous), body)

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], secrets: Mapping[str, Secret], body: bytes
    ) -> Response:
        if method == "GET":
            return self._http.get(url, headers=headers, secret_headers=secrets, limit=oci.LIMIT)
        return self._http.send(method, url, headers=headers, secret_headers=secrets, body=body, limit=oci.LIMIT)

    def _fetch(self, url: str, login: Login | None) -> Response:
        return with_patience(lambda: self._http.get(url, login=login), self._clock, again=True)
