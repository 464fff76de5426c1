"""The tables ``service.NAME``: services that switch from the image of one release to that of the next."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta

from unmoor.config.addresses import LABEL
from unmoor.config.amounts import Duration, Share
from unmoor.config.table import Table

_SLOTS: Final = 2
_PATH = r"^/[^\x00-\x20\x7f]*$(?!\n)"

ServiceName = Annotated[
    str, Meta(pattern=LABEL, extra={"words": "a short name: lowercase letters, digits, and . _ - between them"})
]
Port = Annotated[int, Meta(ge=1, le=65_535)]
RequestPath = Annotated[str, Meta(pattern=_PATH, max_length=1000, extra={"words": "a path such as /health"})]


def _slots(value: dict[str, int]) -> dict[str, int]:
    """Check that there are two slots with two ports. Raises ``ValueError``."""
    if len(value) != _SLOTS or len(set(value.values())) != _SLOTS:
        raise ValueError("expected two slots, each with a port of its own, such as { blue = 9101, green = 9102 }")
    first, second = value
    if f"{first}-spare" == second or f"{second}-spare" == first:
        raise ValueError(f"{max(value, key=len)} is the name of the other slot's backup server")
    return value


class ServiceSettings(Table, frozen=True, kw_only=True):
    """A service in two slots behind HAProxy. Without such a table none is deployed."""

    image: Annotated[
        str,
        Meta(
            pattern=r"^([A-Za-z0-9][A-Za-z0-9_.-]*)?$(?!\n)",
            description="Target of the image that it runs. Empty: the only one.",
            examples=["production"],
            extra={"words": "the name of a stage of the Dockerfile"},
        ),
    ] = ""
    port: Annotated[int, Meta(ge=1, le=65_535, description="Port that the container listens on.")]
    slots: Annotated[
        dict[ServiceName, Port],
        Meta(
            description="Its two slots, each with the port of 127.0.0.1 on which its container is reached.",
            examples=[{"blue": 9101, "green": 9102}],
            extra={"words": "two slots, such as { blue = 9101, green = 9102 }", "check": _slots},
        ),
    ]
    smoke: Annotated[
        tuple[RequestPath, ...],
        Meta(
            description="Paths that must answer with a status from 200 to 399 before it is switched.",
            examples=[["/health"]],
        ),
    ] = ()
    monitor: Annotated[Duration, Meta(description="How long it is watched after the switch.")] = "300s"
    max_errors: Annotated[
        Share, Meta(description="Share of failed requests from which it is switched back while watched.")
    ] = "1%"
    max_latency: Annotated[
        Duration, Meta(description="Average time of an answer from which it is switched back while watched.")
    ] = "500ms"
    runner: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$(?!\n)",
            max_length=100,
            description="Label of the runner of GitHub Actions on its machine, for the written workflows.",
            extra={"words": "the label of a runner"},
        ),
    ] = "self-hosted"
    policy: Annotated[
        Literal["required", "advisory"],
        Meta(description="Whether a failure to deploy it fails the release, or is a warning."),
    ] = "required"
