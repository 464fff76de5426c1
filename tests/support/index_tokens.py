"""API tokens as PyPI makes them. pypitoken makes the same, but takes three seconds to import; a test compares them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pymacaroons import Macaroon  # type: ignore[import-untyped]


def index_token(
    domain: str,
    *,
    project_names: Sequence[str] | None = None,
    project_ids: Sequence[str] | None = None,
    not_before: int | None = None,
    not_after: int | None = None,
) -> str:
    """Return a token with these restrictions."""
    made = Macaroon(location=domain, identifier="x", key="k", version=2)
    if not_after is not None:
        made.add_first_party_caveat(json.dumps([0, not_after, not_before]))
    if project_names is not None:
        made.add_first_party_caveat(json.dumps([1, list(project_names)]))
    if project_ids is not None:
        made.add_first_party_caveat(json.dumps([2, list(project_ids)]))
    return f"pypi-{made.serialize()}"
