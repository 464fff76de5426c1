"""Compare signing 60 files by unmoor and by one `sigstore sign`, with a Sigstore that answers after 150 ms.

    python -m bench.signing [TRIES]

The Sigstore is the local world's, with a wait before each answer. Both clients run in turns as processes of the same
environment with compiled bytecode: once without counting, then TRIES times (default 3). Unmoor signs an attestation
(PEP 740) for each file, and its time includes the request for an ID token and a check of every signature; `sigstore
sign` gets a token, and signs the files themselves. Times are medians.
"""

from __future__ import annotations

import asyncio
import json
import socket
import statistics
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measuring import ROOT, environ, environment, run, seconds, table

from unmoor.rehearsal.server import Server
from unmoor.rehearsal.shared.oidc import Issuer
from unmoor.rehearsal.shared.oidc import app as issuer_app
from unmoor.rehearsal.sigstore.app import Sigstore
from unmoor.rehearsal.sigstore.app import app as sigstore_app

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

FILES, LATENCY = 60, 0.15
LIMIT = 0.7
"""The largest part of sigstore's time that unmoor may take."""
RUNNER = "throw-away"

OURS = """
import json
import sys
from pathlib import Path
from unmoor.adapters.clock import MonotonicClock
from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.sigstore import Sigstore
from unmoor.artifacts.files import describe_file
from unmoor.ports.signer import SIDE_BY_SIDE
from unmoor.ports.world import Login, SigningPlace
from unmoor.products import Subject
from unmoor.provenance.statements import publish_statement
from unmoor.util.concurrency import run_parallel
from unmoor.util.secret import Secret
trust, identity, secret, folder, signed = sys.argv[1:]
place = SigningPlace(trust=trust, identity=identity, token=Login(username="", secret=Secret(secret), origin="bench"))
def sign(path):
    statement = publish_statement(Subject(name=path.name, sha256=describe_file(path).sha256))
    (Path(signed) / f"{path.name}.sigstore.json").write_bytes(sigstore.signer.sign_statement(statement))
with Processes() as processes, BoundedSession() as http:
    sigstore = Sigstore.at(place, http, MonotonicClock(processes=processes), {})
    for failure in run_parallel(sorted(Path(folder).iterdir()), sign, width=SIDE_BY_SIDE):
        raise failure
"""


class _Slow:
    """An application that answers late."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then answer."""
        await asyncio.sleep(LATENCY)
        await self._app(scope, receive, send)


@contextmanager
def _served(listener: socket.socket, app: ASGIApp) -> Iterator[None]:
    """Serve an application in a thread."""
    server = Server(_Slow(app))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def _listener() -> tuple[socket.socket, str]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def instance(folder: Path) -> Iterator[Issuer]:
    """Run an issuer and a Sigstore. Gives the issuer; the trust config is ``trust.json`` in the folder."""
    (one, base), (other, address) = _listener(), _listener()
    issuer = Issuer(folder=folder / "issuer", base=base, repository="acme/demo", runner=RUNNER)
    issuer.folder.mkdir()
    sigstore = Sigstore(folder=folder / "sigstore", base=address, issuer=issuer, trust=folder / "trust.json")
    sigstore.folder.mkdir()
    sigstore.begin()
    with one, other, _served(one, issuer_app(issuer)), _served(other, sigstore_app(sigstore)):
        yield issuer


def time_signing(command: Sequence[str | Path], folder: Path, signed: Path) -> float:
    """Sign every file of a folder and return the seconds. Exit with an error if a signature is missing."""
    for each in signed.iterdir():
        each.unlink()
    took = seconds(command, cwd=folder, env=environ())
    found = {path.name for path in signed.iterdir() if json.loads(path.read_bytes())["verificationMaterial"]}
    if found != {f"{path.name}.sigstore.json" for path in folder.iterdir()}:
        sys.exit(f"{len(found)} of {FILES} files are signed")
    return took


def main() -> int:
    """Measure and print a table. Return 1 if the limit is exceeded."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    scripts = environment("signing", str(ROOT))
    run([scripts / "python", "-m", "compileall", "-q", ROOT / "src"], cwd=ROOT)
    with tempfile.TemporaryDirectory(prefix="unmoor-bench-") as temporary:
        top = Path(temporary)
        files, signed = top / "files", top / "signed"
        for folder in (files, signed):
            folder.mkdir()
        for number in range(FILES):
            (files / f"demo-1.0-cp3{number}-abi3-win32.whl").write_bytes(b"#" * 20_000 + bytes([number]))
        names = sorted(path.name for path in files.iterdir())
        with instance(top) as issuer:
            identity = [f"{issuer.base}/token", RUNNER]
            ours: list[str | Path] = [scripts / "python", "-c", OURS, top / "trust.json", *identity, files, signed]
            times: dict[str, list[float]] = {"ours": [], "sigstore": []}
            for _ in range(tries + 1):
                times["ours"].append(time_signing(ours, files, signed))
                theirs: list[str | Path] = [scripts / "sigstore", "--trust-config", top / "trust.json", "sign"]
                theirs += ["--rekor-version", "1", "--identity-token", issuer.token("sigstore")]
                theirs += ["--output-directory", signed, *names]
                times["sigstore"].append(time_signing(theirs, files, signed))
    middle = {name: statistics.median(each[1:]) for name, each in times.items()}
    ratio = middle["ours"] / middle["sigstore"]
    table(
        (f"{FILES} files, {LATENCY * 1000:.0f} ms per answer", "seconds"),
        [("sigstore sign", f"{middle['sigstore']:.2f}"), ("unmoor", f"{middle['ours']:.2f}")],
    )
    print(f"unmoor / sigstore: {ratio:.2f} (at most {LIMIT})")
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
