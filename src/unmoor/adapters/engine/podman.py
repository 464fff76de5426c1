"""Registries on this machine, which podman handles differently from Docker's engine.

Docker's engine accepts unencrypted registries on loopback addresses. Podman needs a parameter in each request, which
the docker SDK does not support: the push has a parameter of podman's own, and the pull uses podman's own API (libpod,
`images/pull`, since podman 4).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from unmoor.util.loopback import is_loopback

_API = "v4.0.0/libpod"


def on_this_machine(name: str) -> bool:
    """Whether an image's name (``host:port/owner/name``) is of a registry on a loopback address."""
    return is_loopback(name.partition("/")[0].rpartition(":")[0])


def push(api: Any, repository: str, tag: str, auth: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Push to a registry on this machine, line by line as the SDK would."""
    path = f"v{api.api_version}/images/{repository}/push"
    return _answer(api, path, {"tag": tag, "tlsVerify": "false"}, auth)


def pull(api: Any, name: str, auth: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Pull from a registry on this machine, by digest."""
    return _answer(api, f"{_API}/images/pull", {"reference": name, "tlsVerify": "false"}, auth)


def _answer(api: Any, path: str, params: Mapping[str, str], auth: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    from docker.auth import encode_header

    headers = {"X-Registry-Auth": encode_header(dict(auth))}
    answer = api.post(f"{api.base_url}/{path}", params=params, headers=headers, stream=True)
    api._raise_for_status(answer)  # noqa: SLF001  # raises the SDK's errors
    yield from api._stream_helper(answer, decode=True)  # noqa: SLF001  # reads it as the SDK does
