"""The ID token issuer of GitHub Actions: the address that gives tokens to jobs, and the key that signs them.

Point a job at it with ``ACTIONS_ID_TOKEN_REQUEST_URL`` and ``ACTIONS_ID_TOKEN_REQUEST_TOKEN`` (``runner`` in
``credentials.json``). The claims are those of a run of ``release.yml`` for a tag; ``claims.json`` in its folder
overrides them, and removes those that are ``null``. ``sub`` follows from them, in the form of repositories made or
renamed since July 2026, with the numbers of owner and repository; if there is a control file ``name-subject``, in the
older form. Source: GitHub's page "OpenID Connect reference".
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unmoor.util.decode import decode_json
from unmoor.util.files import write_atomic

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
    from starlette.requests import Request

LIFE = 300
"""Lifetime of an ID token, in seconds."""
ALGORITHM = "RS256"
OWNER_ID, REPOSITORY_ID = "1", "2"
"""The numbers of the repository's owner and of the repository, which GitHub gives to no other."""
_KEY = "rehearsal"


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """One issuer: its folder, its address without a slash at the end, and the repository of its jobs.

    ``runner`` is the token with which a job requests ID tokens. The key is made at the first use, in 0.1 s.
    """

    folder: Path
    base: str
    repository: str
    runner: str
    now: Callable[[], float] = time.time
    _making: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def _private(self) -> RSAPrivateKey:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        path = self.folder / "key.pem"
        with self._making:
            if path.exists():
                return cast("RSAPrivateKey", serialization.load_pem_private_key(path.read_bytes(), None))
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            kind, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
            write_atomic(path, key.private_bytes(kind, form, serialization.NoEncryption()), mode=0o600)
            return key

    @property
    def public(self) -> RSAPublicKey:
        """The public key that verifies its tokens."""
        return self._private.public_key()

    def claims(self, audience: str) -> dict[str, Any]:
        """Return the claims of the next token."""
        owner, _, name = self.repository.partition("/")
        now, ref = int(self.now()), "refs/tags/v1.0"
        workflow = f"{self.repository}/.github/workflows/release.yml@{ref}"
        claims: dict[str, Any] = {
            "iss": self.base,
            "aud": audience or f"https://github.com/{owner}",
            "jti": secrets.token_hex(16),
            "iat": now,
            "nbf": now - 60,
            "exp": now + LIFE,
            "repository": f"{owner}/{name}",
            "repository_id": REPOSITORY_ID,
            "repository_owner": owner,
            "repository_owner_id": OWNER_ID,
            "ref": ref,
            "ref_type": "tag",
            "sha": "a" * 40,
            "workflow_ref": workflow,
            "job_workflow_ref": workflow,
            "event_name": "push",
            "runner_environment": "github-hosted",
        }
        try:
            changed = decode_json((self.folder / "claims.json").read_bytes(), dict[str, Any])
        except FileNotFoundError:
            changed = {}
        claims |= changed
        claims.setdefault("sub", self._subject(claims))
        return {name: value for name, value in claims.items() if value is not None}

    def _subject(self, claims: dict[str, Any]) -> str:
        """Return the subject of a job: its repository, and its environment, pull request or ref."""
        repository = str(claims["repository"])
        if not (self.folder / "name-subject").exists():
            owner, _, name = repository.partition("/")
            repository = f"{owner}@{claims['repository_owner_id']}/{name}@{claims['repository_id']}"
        if environment := claims.get("environment"):
            return f"repo:{repository}:environment:{str(environment).replace(':', '%3A')}"
        if str(claims["event_name"]).startswith("pull_request"):
            return f"repo:{repository}:pull_request"
        return f"repo:{repository}:ref:{claims['ref']}"

    def token(self, audience: str) -> str:
        """Sign a token."""
        import jwt

        return jwt.encode(self.claims(audience), self._private, algorithm=ALGORITHM, headers={"kid": _KEY})

    async def give(self, request: Request) -> Response:
        """``GET /token?audience=…``: an ID token for a job."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), self.runner.encode()):
            return JSONResponse({"message": "Unauthorized"}, HTTPStatus.UNAUTHORIZED)
        token = await asyncio.to_thread(self.token, request.query_params.get("audience", ""))
        return JSONResponse({"count": len(token), "value": token})

    async def configuration(self, _request: Request) -> Response:
        """``/.well-known/openid-configuration``."""
        return JSONResponse(
            {
                "issuer": self.base,
                "jwks_uri": f"{self.base}/.well-known/jwks",
                "subject_types_supported": ["public", "pairwise"],
                "response_types_supported": ["id_token"],
                "id_token_signing_alg_values_supported": [ALGORITHM],
                "scopes_supported": ["openid"],
            }
        )

    async def keys(self, _request: Request) -> Response:
        """``/.well-known/jwks``."""
        from jwt.algorithms import RSAAlgorithm

        key = RSAAlgorithm.to_jwk(await asyncio.to_thread(lambda: self.public), as_dict=True)
        return JSONResponse({"keys": [{**key, "kid": _KEY, "alg": ALGORITHM, "use": "sig"}]})


def app(issuer: Issuer) -> Starlette:
    """Return the issuer as an ASGI app."""
    return Starlette(
        routes=[
            Route("/token", issuer.give),
            Route("/.well-known/openid-configuration", issuer.configuration),
            Route("/.well-known/jwks", issuer.keys),
        ]
    )
