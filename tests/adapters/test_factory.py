"""The factory puts adapters together without importing the libraries that are slow to import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from unmoor.adapters.factory import create_services, open_scanners
from unmoor.adapters.process.supervisor import Processes
from unmoor.config.real_world import real_world
from unmoor.ports.world import ScanningPlace
from unmoor.util.values import replace

_SLOW = {"cryptography", "docker", "github", "jwt", "twine"}
_IMPORT = "import unmoor.adapters.factory"
_CREATE = """
from pathlib import Path
from unmoor.adapters.factory import create_services
from unmoor.adapters.process.supervisor import Processes
from unmoor.config.real_world import real_world
with Processes() as processes:
    services = create_services(real_world("acme/demo", {"GH_TOKEN": "throw-away"}), Path.cwd(), processes)
    assert services.forge.has_token()
    assert services.packages("ghcr.io/acme/demo") is not None
"""
_READ = """
from pathlib import Path
from unmoor.adapters.factory import create_services
from unmoor.adapters.process.supervisor import Processes
from unmoor.config.real_world import real_world
from unmoor.errors import Unknown
from unmoor.util.values import replace
world = real_world("acme/demo", {"GH_TOKEN": "throw-away"})
world = replace(world, forge=replace(world.forge, api="http://127.0.0.1:9"))
with Processes() as processes:
    try:
        create_services(world, Path.cwd(), processes).forge.repository()
    except Unknown:
        pass
"""


@pytest.mark.parametrize(
    ("code", "slow"),
    [(_IMPORT, _SLOW | {"requests"}), (_CREATE, _SLOW), (_READ, _SLOW)],
    ids=["import", "create", "read the forge"],
)
def test_slow_libraries_are_imported_when_they_are_called(code: str, slow: set[str]) -> None:
    """PyGithub alone has more than 500 modules: half a second that most commands do not need."""
    code += "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    imported = set(ran.stdout.split())
    assert "unmoor" in imported
    assert imported & slow == set()


def test_what_sends_is_loaded_while_a_project_is_built() -> None:
    """The names of the modules are those that the adapters import, so none is left to load between two stages."""
    code = "import sys; from unmoor.adapters import factory; factory._load_what_sends(); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    needed = {"twine.package", "twine.repository", "github.Requester", "github.Auth", "github.GitRelease"}
    assert needed <= set(ran.stdout.split())


@pytest.mark.parametrize("signs", [True, False])
def test_what_signs_is_loaded_only_by_a_run_that_signs(*, signs: bool) -> None:
    """Sigstore and what it needs take 0.3 s of a processor that the build could use."""
    code = (
        f"import sys; from unmoor.adapters import factory; factory._load_what_sends(signs={signs}); print(*sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert {"sigstore.sign", "pypi_attestations"} & set(ran.stdout.split()) == (
        {"sigstore.sign", "pypi_attestations"} if signs else set()
    )


@pytest.mark.parametrize(
    ("scanning", "rehearsal", "asks", "images"),
    [
        (ScanningPlace(), False, "api.osv.dev", True),
        (ScanningPlace(service="http://127.0.0.1:9"), False, "http://127.0.0.1:9", True),
        (ScanningPlace(service="http://127.0.0.1:9"), True, "http://127.0.0.1:9", False),
        (None, True, "", False),
        (None, False, "", False),
    ],
)
def test_who_is_asked_for_vulnerabilities(
    scanning: ScanningPlace | None,
    rehearsal: bool,  # noqa: FBT001 - a table
    asks: str,
    images: bool,  # noqa: FBT001 - a table
) -> None:
    """Only a service that the world names is asked, and a rehearsal scans no image: no public place is reached."""
    world = replace(real_world("acme/demo", {"GH_TOKEN": "throw-away"}), scanning=scanning, rehearsal=rehearsal)
    with Processes() as processes:
        scanners = open_scanners(world, processes)
        assert create_services(world, Path.cwd(), processes).scanners is not None
    assert (scanners.dependencies.asks if scanners.dependencies else "") == asks
    assert (scanners.images is not None) == images


@pytest.mark.parametrize("port", ["registry", "packages"])
def test_a_run_opens_a_registry_once_per_name(port: str, tmp_path: Path) -> None:
    """Stages that ask for the same name share one adapter, and so its tokens."""
    with Processes() as processes:
        services = create_services(real_world("acme/demo", {"GH_TOKEN": "throw-away"}), tmp_path, processes)
        opened = getattr(services, port)
        assert opened("ghcr.io/acme/demo") is opened("ghcr.io/acme/demo")
        assert opened("ghcr.io/acme/demo") is not opened("ghcr.io/acme/other")
