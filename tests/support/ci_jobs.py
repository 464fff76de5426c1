"""A CI job in a local world: its environment, and the publishers that the index trusts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.support.faulty_index import BOUNDS
from tests.support.sample_values import FakeClock

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.index import PackageIndex
from unmoor.adapters.index.trusted import TrustedPublishing
from unmoor.ports.world import IndexPlace, Login, Trusted
from unmoor.rehearsal.local import LocalWorld
from unmoor.util.secret import Secret

PUBLISHER: dict[str, Any] = {"project": "demo", "repository": "acme/demo", "workflow": "release.yml"}
REUSABLE_WORKFLOW = "acme/shared/.github/workflows/publish.yml@refs/heads/main"


def job_environ(world: LocalWorld) -> dict[str, str]:
    """Return the environment variables of a job with `id-token: write`."""
    credentials = json.loads((world.folder / "credentials.json").read_text())
    return {
        "GITHUB_ACTIONS": "true",
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{world.addresses['issuer']}/token?api-version=2.0",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": credentials["runner"],
    }


@dataclass(frozen=True, kw_only=True)
class TrustedJob:
    """A job that can request ID tokens, and an index of its world."""

    world: LocalWorld
    name: str = "pypi"
    environ: dict[str, str] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=FakeClock)
    http: BoundedSession = field(default_factory=lambda: BoundedSession(BOUNDS))

    @classmethod
    def start(cls, world: LocalWorld, patch: pytest.MonkeyPatch, name: str = "pypi") -> TrustedJob:
        """Set up the environment of the job. The index has no publishers, and the claims are the default ones."""
        job = cls(world=world, name=name, environ=job_environ(world))
        for variable, value in job.environ.items():
            patch.setenv(variable, value)
        job.publishers()
        job.claims()
        for control in ("ahead", "no-github", "no-trusted-publishing"):
            (job.folder / control).unlink(missing_ok=True)
        (world.folder / "issuer" / "name-subject").unlink(missing_ok=True)
        return job

    @property
    def folder(self) -> Path:
        """The folder of the index."""
        return self.world.folder / self.name

    @property
    def base(self) -> str:
        """The address of the index."""
        return self.world.addresses[self.name]

    def publishers(self, *publishers: dict[str, Any]) -> None:
        """Set the publishers of the index."""
        (self.folder / "publishers.json").write_text(json.dumps(publishers))

    def claims(self, **claims: Any) -> None:
        """Change the claims of later ID tokens."""
        folder = self.world.folder / "issuer"
        folder.mkdir(exist_ok=True)
        (folder / "claims.json").write_text(json.dumps(claims))

    def ahead(self, seconds: float) -> None:
        """Let time pass, for the index and for the client."""
        (self.folder / "ahead").write_text(str(seconds))
        self.clock.time += seconds

    def id_token(self, audience: str | None = None) -> str:
        """Request an ID token, as a job does."""
        answer = requests.get(
            self.environ["ACTIONS_ID_TOKEN_REQUEST_URL"],
            params={"audience": audience or f"local-{self.name}"},
            headers={"Authorization": f"bearer {self.environ['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"},
            timeout=20,
        )
        assert answer.status_code == 200
        return str(answer.json()["value"])

    def mint(self, token: object = None, path: str = "/_/oidc/mint-token") -> requests.Response:
        """Exchange an ID token by plain HTTP."""
        return requests.post(f"{self.base}{path}", json={"token": token or self.id_token()}, timeout=20)

    def code(self, answer: requests.Response) -> str:
        """Return the code of the only error in the answer to a refused exchange."""
        assert answer.status_code == 422
        assert answer.json()["message"] == "Token request failed"
        (error,) = answer.json()["errors"]
        return str(error["code"])

    def place(self, trusted: Trusted = Trusted.AUTO, password: str = "") -> IndexPlace:
        """Return the index as a world describes it."""
        return IndexPlace(
            name=self.name,
            upload=f"{self.base}/legacy/",
            simple=f"{self.base}/simple/",
            json=f"{self.base}/pypi/",
            page=f"{self.base}/project/{{project}}/{{version}}/",
            login=Login(username="__token__", secret=Secret(password), origin="~/.pypirc" if password else "nowhere"),
            trusted=trusted,
        )

    def trusted(self, trusted: Trusted = Trusted.AUTO, password: str = "") -> TrustedPublishing:
        """Return trusted publishing to the index."""
        place = self.place(trusted, password)
        return TrustedPublishing(place=place, http=self.http, clock=self.clock, environ=self.environ)

    def index(self, trusted: Trusted = Trusted.AUTO, password: str = "") -> PackageIndex:
        """Return a client for the index."""
        publishing = self.trusted(trusted, password)
        return PackageIndex(publishing.place, self.http, self.clock, publishing)

    def minted(self) -> int:
        """Return how many tokens the index has minted."""
        return len(list((self.folder / "minted").glob("*.json"))) if (self.folder / "minted").exists() else 0
