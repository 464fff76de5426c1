"""What a certificate says about a job, from the claims of its ID token, as Fulcio derives it for GitHub Actions.

Sources: the issuer ``token.actions.githubusercontent.com`` in Fulcio's ``config/identity/config.yaml``, and
``docs/oid-info.md`` there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

ISSUER = "https://token.actions.githubusercontent.com"
"""GitHub's issuer, which every certificate names although the local one has another address: clients expect it."""
_SITE = "https://github.com"
_ROOT = "1.3.6.1.4.1.57264.1."
_NAME = "{site}/{job_workflow_ref}"
# Before the eighth the value is the bare text, afterwards a UTF8String.
_FIRST_ENCODED = 8
_EXTENSIONS = {
    1: "{issuer}",
    2: "{event_name}",
    3: "{sha}",
    4: "{workflow}",
    5: "{repository}",
    6: "{ref}",
    8: "{issuer}",
    9: _NAME,
    10: "{job_workflow_sha}",
    11: "{runner_environment}",
    12: "{site}/{repository}",
    13: "{sha}",
    14: "{ref}",
    15: "{repository_id}",
    16: "{site}/{repository_owner}",
    17: "{repository_owner_id}",
    18: "{site}/{workflow_ref}",
    19: "{workflow_sha}",
    20: "{event_name}",
    21: "{site}/{repository}/actions/runs/{run_id}/attempts/{run_attempt}",
    22: "{repository_visibility}",
    23: "{environment}",
    24: "{sub}",
}


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who signs: the URI that is the subject's alternative name, and the extensions by OID, encoded."""

    name: str
    extensions: Mapping[str, bytes]

    @classmethod
    def of(cls, claims: Mapping[str, object]) -> Principal:
        """Read the claims of a token. Raises ``ValueError`` if one is missing."""
        known = {"environment": "", **claims, "issuer": ISSUER, "site": _SITE}
        try:
            name = _NAME.format(**known)
            return cls(name=name, extensions=dict(_extensions(known)))
        except KeyError as error:
            raise ValueError(f"value <{error.args[0]}> not present in either claims or defaults.") from None


def _extensions(known: Mapping[str, object]) -> Iterator[tuple[str, bytes]]:
    from pyasn1.codec.der.encoder import encode
    from pyasn1.type.char import UTF8String

    for number, template in _EXTENSIONS.items():
        if text := template.format(**known):
            yield f"{_ROOT}{number}", text.encode() if number < _FIRST_ENCODED else encode(UTF8String(text))
