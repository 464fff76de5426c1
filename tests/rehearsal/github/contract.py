"""A client of the local forge whose every answer is compared with GitHub's own description of its API.

``github-openapi.json`` is a slice of ``generated/api.github.com.json`` in ``@octokit/openapi``
23.0.2 (MIT, see ``github-openapi.LICENSE``): the paths a release needs and their schemas, without
descriptions and examples.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

if TYPE_CHECKING:
    from openapi_core import OpenAPI


@functools.cache
def description(base: str) -> OpenAPI:
    """GitHub's description, for a forge at that address."""
    from openapi_core import OpenAPI  # takes 3 s, so not while tests are collected

    read = json.loads((Path(__file__).parent / "github-openapi.json").read_bytes())
    read["servers"] = [{"url": f"{base}/api/v3"}]
    read["paths"]["/repos/{owner}/{repo}/releases/{release_id}/assets"]["post"]["servers"] = [
        {"url": f"{base}/api/uploads"}
    ]
    return OpenAPI.from_dict(read)


_SEEN: set[object] = set()
"""The shapes that were compared already, because a comparison takes 30 ms."""


def _json(answer: requests.Response) -> Any:
    return answer.json() if answer.headers.get("content-type") == "application/json" else None


def _shape(value: Any) -> object:
    """Names and types of a JSON value, without what it says."""
    if isinstance(value, dict):
        return frozenset((name, _shape(inner)) for name, inner in value.items())
    if isinstance(value, list):
        return ("list", frozenset(_shape(inner) for inner in value))
    return type(value).__name__


def _compare(api: OpenAPI, asked: requests.PreparedRequest, answer: requests.Response) -> None:
    from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse
    from openapi_core.templating.responses.exceptions import ResponseNotFound

    request, response = RequestsOpenAPIRequest(asked), RequestsOpenAPIResponse(answer)
    if answer.ok:
        api.validate_request(request)
    try:
        api.validate_response(request, response)
    except ResponseNotFound:
        # GitHub describes the statuses of success; errors all have this shape.
        assert answer.status_code >= 400
        assert {"message", "documentation_url"} <= set(answer.json())


@dataclass
class ForgeClient:
    """A client of the forge; ``token`` is empty for an anonymous one."""

    base: str
    token: str
    session: requests.Session = field(default_factory=requests.Session)
    root: str = "/api/v3/repos/acme/demo"

    def call(self, method: str, path: str, **how: Any) -> requests.Response:
        """Send a request below the repository, and check request and answer against the description."""
        headers = {"Accept": "application/vnd.github+json", **how.pop("headers", {})}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        address = path if path.startswith("http") else f"{self.base}{self.root}{path}"
        prepared = self.session.prepare_request(requests.Request(method, address, headers=headers, **how))
        answer = self.session.send(prepared, timeout=20, allow_redirects=False)
        shape = (method, re.sub(r"[0-9a-f]+", "0", address), answer.status_code, _shape(_json(answer)))
        if shape not in _SEEN:
            _compare(description(self.base), prepared, answer)
            _SEEN.add(shape)
        return answer

    def make(self, tag: str, **words: Any) -> dict[str, Any]:
        """Create a release, by default a draft."""
        answer = self.call("POST", "/releases", json={"tag_name": tag, "draft": True, **words})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def change(self, release: dict[str, Any], **words: Any) -> requests.Response:
        """Change a release."""
        return self.call("PATCH", f"/releases/{release['id']}", json=words)

    def attach(self, release: dict[str, Any], name: str, data: bytes) -> requests.Response:
        """Upload an asset to the URL in the release."""
        address = release["upload_url"].partition("{")[0]
        headers = {"Content-Type": "application/octet-stream"}
        return self.call("POST", f"{address}?name={quote(name)}", data=data, headers=headers)
