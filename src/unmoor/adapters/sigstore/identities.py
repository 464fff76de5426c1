"""Who signs: from the claims of an ID token, and from the certificate that Fulcio makes of them.

Sources: Fulcio's ``docs/oid-info.md`` (extensions 1.3.6.1.4.1.57264.1.8 to 22) and its mapping of GitHub's claims.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

from unmoor.ports.signer import Identity

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from unmoor.adapters.identity.claims import Claims

_SITE = "https://github.com"
_FULCIO = "1.3.6.1.4.1.57264.1"
_ISSUER, _RUNNER, _REPOSITORY, _COMMIT, _REF, _REPOSITORY_ID = 8, 11, 12, 13, 14, 15
_OWNER_ID, _CALLER, _EVENT, _RUN, _VISIBILITY = 17, 18, 20, 21, 22


def from_claims(claims: Claims) -> Identity:
    """Return the identity in an ID token of GitHub Actions. What is missing is empty."""

    def text(name: str) -> str:
        return claims.values.get(name, "")

    def address(workflow: str) -> str:
        return f"{_SITE}/{workflow}" if workflow else ""

    number, attempt = text("run_id"), text("run_attempt")
    return Identity(
        repository=text("repository"),
        repository_id=text("repository_id"),
        owner_id=text("repository_owner_id"),
        workflow=address(text("job_workflow_ref")),
        caller=address(text("workflow_ref")),
        commit=text("sha"),
        ref=text("ref"),
        run=f"{_SITE}/{text('repository')}/actions/runs/{number}/attempts/{attempt}" if number and attempt else "",
        event=text("event_name"),
        visibility=text("repository_visibility"),
        runner=text("runner_environment"),
        issuer=text("iss"),
    )


@lru_cache(maxsize=32)
def from_certificate(certificate: Certificate) -> Identity:
    """Return the identity in a certificate. What is missing is empty, as it is for a person or another CI.

    The last ones are remembered: many signatures share a certificate, and decoding takes as long as verifying.

    Raises many kinds of errors, those of ``cryptography`` and ``pyasn1``, for extensions that cannot be read.
    """
    from cryptography import x509
    from pyasn1.codec.der.decoder import decode
    from pyasn1.type.char import UTF8String

    found = {
        extension.oid.dotted_string: extension.value.value
        for extension in certificate.extensions
        if isinstance(extension.value, x509.UnrecognizedExtension)
    }

    def text(number: int) -> str:
        value = found.get(f"{_FULCIO}.{number}")
        return "" if value is None else str(decode(value, UTF8String())[0])

    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    given = [*names.get_values_for_type(x509.UniformResourceIdentifier), *names.get_values_for_type(x509.RFC822Name)]
    return Identity(
        repository="/".join(text(_REPOSITORY).split("/")[3:]),
        repository_id=text(_REPOSITORY_ID),
        owner_id=text(_OWNER_ID),
        # It is an address, so Fulcio escapes what it may not hold, such as letters with accents in a tag.
        workflow=unquote(given[0]) if len(given) == 1 else "",
        caller=text(_CALLER),
        commit=text(_COMMIT),
        ref=text(_REF),
        run=text(_RUN),
        event=text(_EVENT),
        visibility=text(_VISIBILITY),
        runner=text(_RUNNER),
        issuer=text(_ISSUER),
    )
