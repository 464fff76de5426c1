"""The ID token issuer of GitHub Actions: the address that gives tokens to jobs, and the key that signs them.

Point a job at it with ``ACTIONS_ID_TOKEN_REQUEST_URL`` and ``ACTIONS_ID_TOKEN_REQUEST_TOKEN``: ``runner`` in
``credentials.json``, or that of one job (`shared.job_tokens`). The claims are those of a run of ``release.yml`` for a
tag: that in the request's path, or else that of the rehearsal, or else the newest one on the remote. ``claims.json`` in
its folder and then the job's own claims override them, and remove those that are ``null``. ``sub`` follows from them,
in the form of repositories made or renamed since July 2026, with the numbers of owner and repository; if there is a
control file ``name-subject``, in the older form. Source: GitHub's page "OpenID Connect reference".
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

from unmoor.filesystem.files import write_atomic
from unmoor.rehearsal.shared.job_tokens import JobToken, JobTokens
from unmoor.rehearsal.shared.remote import Remote
from unmoor.util.decode import decode_json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
    from starlette.requests import Request
    from starlette.types import ASGIApp

LIFE = 300
"""Lifetime of an ID token, in seconds."""
ALGORITHM = "RS256"
OWNER_ID, REPOSITORY_ID = "1", "2"
"""The numbers of the repository's owner and of the repository, which GitHub gives to no other."""
WORKFLOW = "release.yml"
"""The file with the workflow of its jobs."""
_KEY = "rehearsal"


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """One issuer: its folder, its address without a slash at the end, and the repository of its jobs.

    ``runner`` is the token with which a job requests ID tokens. ``tag`` is the tag of a rehearsal, and ``remote`` where
    the commits of tags are; without a remote they are placeholders. The key is made at the first use, in 0.1 s.
    ``on_request`` is called with the audience of each token before it is given.
    """

    folder: Path
    base: str
    repository: str
    runner: str
    remote: Remote | None = None
    tag: str = ""
    now: Callable[[], float] = time.time
    on_request: Callable[[str], object] = lambda _audience: None
    _making: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _made: list[RSAPrivateKey] = field(default_factory=list, repr=False)

    @property
    def _private(self) -> RSAPrivateKey:
        with self._making:
            if not self._made:
                self._made.append(_read_or_make(self.folder / "key.pem"))
            return self._made[0]

    @property
    def public(self) -> RSAPublicKey:
        """The public key that verifies its tokens."""
        return self._private.public_key()

    def _run(self, ref: str) -> tuple[str, str]:
        """Return the ref and the commit of a run."""
        if self.remote is not None:
            ref = ref or (f"refs/tags/{self.tag}" if self.tag else self.remote.newest_tag())
        ref = ref or "refs/tags/v1.0"
        return ref, (self.remote and self.remote.commit_of(ref)) or "a" * 40

    def claims(self, audience: str, ref: str = "", job: JobToken | None = None) -> dict[str, Any]:
        """Return the claims of the next token, for a run of ``ref``, and for one of its jobs."""
        owner, _, name = self.repository.partition("/")
        now = int(self.now())
        ref, sha = self._run(ref)
        workflow = f"{self.repository}/.github/workflows/{WORKFLOW}@{ref}"
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
            "ref_protected": "false",
            "base_ref": "",
            "head_ref": "",
            "sha": sha,
            "actor": owner,
            "actor_id": OWNER_ID,
            "workflow": "Release",
            "workflow_ref": workflow,
            "workflow_sha": sha,
            "job_workflow_ref": workflow,
            "job_workflow_sha": sha,
            "event_name": "push",
            "repository_visibility": "private" if (self.folder.parent / "forge" / "private").exists() else "public",
            "run_id": "1",
            "run_number": "1",
            "run_attempt": "1",
            "runner_environment": "github-hosted",
        }
        try:
            changed = decode_json((self.folder / "claims.json").read_bytes(), dict[str, Any])
        except FileNotFoundError:
            changed = {}
        claims |= changed | dict(job.claims if job else {})
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

    def token(self, audience: str, ref: str = "", job: JobToken | None = None) -> str:
        """Sign a token."""
        import jwt

        self.on_request(audience)
        return jwt.encode(self.claims(audience, ref, job), self._private, algorithm=ALGORITHM, headers={"kid": _KEY})

    async def give(self, request: Request) -> Response:
        """``GET /token/TAG?audience=…``: an ID token for a job of a tag, which GitHub knows by the job."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        job = JobTokens(folder=self.folder.parent).identified(given.encode())
        is_known = job is not None or hmac.compare_digest(given.encode(), self.runner.encode())
        if scheme.lower() != "bearer" or not is_known:
            return JSONResponse({"message": "Unauthorized"}, HTTPStatus.UNAUTHORIZED)
        query = request.query_params
        ref = f"refs/tags/{tag}" if (tag := request.path_params.get("tag", "")) else ""
        token = await asyncio.to_thread(self.token, query.get("audience", ""), ref, job)
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


def _read_or_make(path: Path) -> RSAPrivateKey:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    if path.exists():
        # Checking a key takes as long as making one.
        key = serialization.load_pem_private_key(path.read_bytes(), None, unsafe_skip_rsa_key_validation=True)
        return cast("RSAPrivateKey", key)
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    write_atomic(path, made.private_bytes(kind, form, serialization.NoEncryption()), mode=0o600)
    return made


def app(issuer: Issuer) -> ASGIApp:
    """Return the issuer as an ASGI app."""
    routes = [
        Route("/token", issuer.give),
        Route("/token/{tag:path}", issuer.give),
        Route("/.well-known/openid-configuration", issuer.configuration),
        Route("/.well-known/jwks", issuer.keys),
    ]
    return Starlette(routes=routes)
