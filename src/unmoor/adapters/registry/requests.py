"""Send requests to one repository of a registry: logs in, waits, and raises the errors that all requests share."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from unmoor import advice
from unmoor.adapters.http.session import BoundedSession, Response
from unmoor.adapters.http.urls import origin, resolve_link, without_query
from unmoor.adapters.registry.answers import describe_errors, errors_of, with_patience
from unmoor.adapters.registry.auth import RegistryAuth, denied
from unmoor.artifacts import oci
from unmoor.errors import Denied, Unknown
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
        follow: bool = True,
    ) -> Response:
        """Send one request with the credentials that the registry requires. Return any other status as it is.

        ``path`` may also be a whole address of the registry. A GET follows redirects unless told not to. Raises
        `Denied` for 401 and 403, `Unknown` for 5xx and for an incomplete answer. Retries those, except for a PUT.
        Raises `Unknown` for a lasting 429 of a read, and `TryLater` for one of a write.
        """
        url = path if urlsplit(path).scheme else f"{self._place.address}/v2/{self._repository}/{path}"
        answer = with_patience(
            method,
            lambda: self._send(
                method, url, headers or {}, body, push=push, scope=scope, anonymous=anonymous, follow=follow
            ),
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

    def link(self, answer: Response, target: str, what: str) -> str:
        """Return the whole address of a link to this repository. Raises `Unknown` if it is to another one."""
        url = resolve_link(answer.url, target)
        root = f"{self._place.address}/v2/{self._repository}/"
        if origin(url) != origin(self._place.address) or not urlsplit(url).path.startswith(urlsplit(root).path):
            raise Unknown(
                f"the {what} is at another address",
                where=without_query(url),
                next_step=advice.ASK_REGISTRY_OPERATOR(),
                retryable=False,
            )
        return url

    def next_page(self, answer: Response, what: str) -> str:
        """Return the whole address of the next page of a list, empty after the last one. Raises `Unknown`."""
        target, _, rest = answer.headers.get("Link", "").partition(";")
        if 'rel="next"' not in rest.replace("'", '"').replace("rel=next", 'rel="next"'):
            return ""
        return self.link(answer, target.strip().strip("<>"), f"next page of {what}")

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        push: bool,
        scope: str,
        anonymous: bool,
        follow: bool,
    ) -> Response:
        """Send one request, and again after a challenge."""
        scope_needed = f"repository:{self._repository}:{scope or ('pull,push' if push else 'pull')}"
        secrets = self._auth.headers(scope_needed, anonymous=anonymous)
        answer = self._once(method, url, headers, secrets, body, follow=follow)
        if answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        self._auth.answer(answer, scope_needed, anonymous=anonymous, sent=bool(secrets))
        secrets = self._auth.headers(scope_needed, anonymous=anonymous)
        return self._once(method, url, headers, secrets, body, follow=follow)

    def _once(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        secrets: Mapping[str, Secret],
        body: bytes,
        *,
        follow: bool,
    ) -> Response:
        if method == "GET" and follow:
            return self._http.get(url, headers=headers, secret_headers=secrets, limit=oci.LIMIT)
        return self._http.send(method, url, headers=headers, secret_headers=secrets, body=body, limit=oci.LIMIT)

    def _fetch(self, url: str, login: Login | None) -> Response:
        return with_patience("GET", lambda: self._http.get(url, login=login), self._clock)
