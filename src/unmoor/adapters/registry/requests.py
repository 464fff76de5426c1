"""Send requests to one repository of a registry: logs in, waits, and raises the errors that all requests share."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from unmoor import advice
from unmoor.adapters.http.session import BoundedSession, Response
from unmoor.adapters.registry.answers import describe_errors, errors_of, with_patience
from unmoor.adapters.registry.auth import RegistryAuth, denied
from unmoor.artifacts import oci
from unmoor.errors import Denied
from unmoor.ports.clock import Clock
from unmoor.ports.world import Login, RegistryPlace
from unmoor.util.secret import Secret


class RequestForbidden(Denied):
    """403: the registry accepts the login, but it lacks this permission. Another request is harmless."""


class RegistryRequests:
    """Sends requests below ``/v2/<repository>/``. ``page`` is the address of the package's settings."""

    def __init__(
        self, place: RegistryPlace, repository: str, http: BoundedSession, clock: Clock | None, page: str
    ) -> None:
        self._place = place
        self._repository = repository
        self._http = http
        self._clock = clock
        self._page = page
        self._auth = RegistryAuth(place, self._fetch)

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
        """Send one request with the credentials that the registry requires. Return any other status as it is.

        Raises `Denied` for 401 and 403, `Unknown` for 5xx and for an incomplete answer. Retries those, except for a
        PUT. Raises `Unknown` for a lasting 429 of a read, and `TryLater` for one of a write.
        """
        url = f"{self._place.address}/v2/{self._repository}/{path}"
        answer = with_patience(
            method,
            lambda: self.send(method, url, headers or {}, body, push=push, scope=scope, anonymous=anonymous),
            self._clock,
        )
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise denied(answer, self._place, anonymous=anonymous or not self._place.login.secret)
        refused = answer.status > HTTPStatus.FORBIDDEN and any(code == "DENIED" for code, _ in errors_of(answer))
        if answer.status == HTTPStatus.FORBIDDEN or refused:
            raise RequestForbidden(
                f"the registry denies access: {describe_errors(answer)}",
                where=f"{self._place.host}/{self._repository}",
                next_step=advice.CHECK_PACKAGE_WRITERS(page=self._page),
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
        """Send one request, and again after a challenge."""
        scope_needed = f"repository:{self._repository}:{scope or ('pull,push' if push else 'pull')}"
        secrets = self._auth.headers(scope_needed, anonymous=anonymous)
        answer = self._once(method, url, headers, secrets, body)
        if answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        self._auth.answer(answer, scope_needed, anonymous=anonymous, sent=bool(secrets))
        return self._once(method, url, headers, self._auth.headers(scope_needed, anonymous=anonymous), body)

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], secrets: Mapping[str, Secret], body: bytes
    ) -> Response:
        if method == "GET":
            return self._http.get(url, headers=headers, secret_headers=secrets, limit=oci.LIMIT)
        return self._http.send(method, url, headers=headers, secret_headers=secrets, body=body, limit=oci.LIMIT)

    def _fetch(self, url: str, login: Login | None) -> Response:
        return with_patience("GET", lambda: self._http.get(url, login=login), self._clock)
