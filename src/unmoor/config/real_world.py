"""The real world: the public indexes at twine's addresses, and the forge from the variables of the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from unmoor import advice
from unmoor.config.addresses import root_address
from unmoor.config.credentials import forge_login, index_login, token_login
from unmoor.errors import ConfigError, Internal
from unmoor.filesystem.layout import PROXY_SOCKET
from unmoor.ports.world import (
    AnnouncePlace,
    ForgePlace,
    IndexPlace,
    Login,
    ProxyPlace,
    ReadTheDocsPlace,
    ScanningPlace,
    SigningPlace,
    SpacePlace,
    Trusted,
    World,
)

# The variables that the clients of these services read.
HUB_TOKEN = "HF_TOKEN"  # noqa: S105 - a name
READTHEDOCS_TOKEN = "READTHEDOCS_TOKEN"  # noqa: S105 - a name

_GITHUB_API = "https://api.github.com"
_ENTERPRISE_API = "/api/v3"


LogIn = Callable[[str, str, Mapping[str, str]], Login]
"""Finds the login of an index by its name, the address of its uploads and the environment."""


def real_world(
    repository: str, environ: Mapping[str, str], *, trusted: Trusted = Trusted.AUTO, log_in: LogIn = index_login
) -> World:
    """The public indexes, and the forge of the GitHub Actions run, or else github.com.

    ``log_in`` finds the logins of the indexes. Raises `ConfigError` for invalid addresses in the environment.
    """
    production, staging = upload_addresses()
    forge = real_forge(repository, environ)
    return World(
        name="real",
        rehearsal=False,
        index=_public_index("pypi", production, log_in("pypi", production, environ), trusted),
        staging=_public_index("testpypi", staging, log_in("testpypi", staging, environ), trusted),
        dependencies="",
        forge=forge,
        remote="origin",
        # The public instance knows the jobs of github.com, and of no other GitHub.
        signing=SigningPlace() if forge.api == _GITHUB_API else None,
        scanning=ScanningPlace(),
        space=SpacePlace(login=token_login(HUB_TOKEN, environ)),
        readthedocs=ReadTheDocsPlace(login=token_login(READTHEDOCS_TOKEN, environ)),
        # The place of every service that has no other.
        proxies=(
            ProxyPlace(
                service="",
                socket=environ.get("UNMOOR_PROXY_SOCKET") or PROXY_SOCKET,
                state=environ.get("UNMOOR_PROXY_STATE", ""),
            ),
        ),
        announce=AnnouncePlace(),
    )


def real_forge(repository: str, environ: Mapping[str, str]) -> ForgePlace:
    """The forge of the GitHub Actions run (``GITHUB_API_URL``), or else github.com."""
    api = _from_environ("GITHUB_API_URL", environ) or _GITHUB_API
    roots = Roots.of(api)
    site = _from_environ("GITHUB_SERVER_URL", environ) or (roots.site if roots else "")
    if roots is None or not site:
        raise ConfigError(
            "cannot derive the address for asset uploads from this API",
            where="the environment variable GITHUB_API_URL",
            next_step=advice.DESCRIBE_FORGE(),
        )
    return ForgePlace(api=api, uploads=roots.uploads, site=site, repository=repository, login=forge_login(environ))


class Roots(msgspec.Struct, frozen=True):
    """The two other roots of a forge, derived from the root of its API."""

    uploads: str
    site: str

    @classmethod
    def of(cls, api: str) -> Roots | None:
        """Derive them from ``https://HOST/api/v3`` or ``https://api.HOST``, ``None`` for any other layout."""
        if api.endswith(_ENTERPRISE_API):
            site = api.removesuffix(_ENTERPRISE_API)
            return cls(uploads=f"{site}/api/uploads", site=site)
        scheme, _, rest = api.partition("://")
        if rest.startswith("api.") and "/" not in rest:
            host = rest.removeprefix("api.")
            return cls(uploads=f"{scheme}://uploads.{host}", site=f"{scheme}://{host}")
        return None


def _from_environ(variable: str, environ: Mapping[str, str]) -> str:
    value = environ.get(variable, "")
    try:
        return root_address(value) if value else ""
    except ValueError as error:
        raise ConfigError(
            str(error),
            where=f"the environment variable {variable}",
            next_step=advice.CORRECT_VARIABLE(variable=variable),
        ) from error


def _public_index(name: str, upload: str, login: Login, trusted: Trusted) -> IndexPlace:
    """An index at a known upload address. Its pages are on the same host without the leading ``upload.``."""
    scheme = upload.partition("://")[0]
    site = f"{scheme}://{public_host(upload)}"
    return IndexPlace(
        name=name,
        upload=upload,
        simple=f"{site}/simple/",
        json=f"{site}/pypi/",
        page=f"{site}/project/{{project}}/{{version}}/",
        login=login,
        trusted=trusted,
    )


def public_host(upload: str) -> str:
    """The host in a public index's pages and tokens: the host of its uploads without ``upload.``."""
    return upload.partition("://")[2].partition("/")[0].removeprefix("upload.")


def upload_addresses() -> tuple[str, str]:
    """The upload addresses of the production and the staging index, from twine.

    Parsed from twine's source: importing ``twine.utils`` takes 0.11 s, parsing it 3 ms. The two constants are
    internals of twine, whose next major version pyproject.toml excludes.
    """
    import ast
    import importlib.util
    from pathlib import Path

    spec = importlib.util.find_spec("twine")
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise Internal("the package twine is not installed beside unmoor", next_step=advice.INSTALL_UNMOOR_AGAIN())
    try:
        tree = ast.parse((Path(folders[0]) / "utils.py").read_bytes())
    except (OSError, SyntaxError, ValueError):
        tree = ast.Module(body=[], type_ignores=[])
    constants: dict[str, object] = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)):
                constants[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=value)):
                constants[name] = value
            case _:
                pass
    match constants.get("DEFAULT_REPOSITORY"), constants.get("TEST_REPOSITORY"):
        case str() as production, str() as staging:
            return production, staging
        case _:
            return _imported_addresses()


def _imported_addresses() -> tuple[str, str]:
    """Import the addresses, for a twine whose source is packed or written differently."""
    from twine.utils import DEFAULT_REPOSITORY, TEST_REPOSITORY

    return DEFAULT_REPOSITORY, TEST_REPOSITORY
