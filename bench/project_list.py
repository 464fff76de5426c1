"""Real projects to rehearse: the name, the tag and its commit, and how their own suite runs with plain pip and pytest.

``needs`` is what a contributor installs besides the project, as arguments of ``pip install`` in the checkout; it comes
from the project's own instructions. ``pytest`` is what follows ``pytest``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RealProject:
    """A project at one of its releases. ``extras`` are those that its tests need."""

    repository: str
    tag: str
    commit: str
    needs: str = "pytest"
    extras: str = ""
    pytest: str = ""

    @property
    def name(self) -> str:
        """The repository without its owner."""
        return self.repository.rpartition("/")[2]


PROJECTS = (
    RealProject("PyCQA/flake8", "7.3.0", "c48217e1fc006c2dddd14df54e83b67da15de5cd"),
    RealProject("Textualize/rich", "v14.3.3", "ce0118819d172d134507bcf5982d3faf82bbc43e", needs="pytest attrs"),
    RealProject(
        "agronholm/anyio", "4.14.2", "c384f99687c64c59ed8a11c3a0f11a2d57daff71", needs="--group test", extras="trio"
    ),
    RealProject(
        "aio-libs/yarl", "v1.24.5", "0b30cb02d07f8ac454762eed3c2edea0892e9a24", needs="-r requirements/test.txt"
    ),
    RealProject("cpburnz/python-pathspec", "v1.1.1", "ecf71a99ca739479d450b9830f43416ea0c519c7", needs="--group dev"),
    RealProject(
        "encode/httpx",
        "0.28.1",
        "26d48e0634e6ee9cdc0533996db289ce4b430177",
        needs="chardet cryptography pytest==8.4.1 trio==0.31.0 trio-typing trustme uvicorn==0.35.0",
        extras="brotli,cli,http2,socks,zstd",
    ),
    RealProject(
        "encode/starlette",
        "0.47.3",
        "cb8f84f5284dc301ca7a31eb732b9e140769dd48",
        needs="pytest==8.4.1 trio==0.30.0 importlib-metadata",
        extras="full",
    ),
    RealProject(
        "executablebooks/markdown-it-py",
        "v4.2.0",
        "36c5f547144df2d01970a5792d68c71a3380b227",
        extras="linkify,testing",
        pytest="tests",
    ),
    RealProject("fastapi/typer", "0.27.1", "fe2aa0e2f9c853de378e60ca24ec3b256144decf", needs="--group tests"),
    RealProject("hynek/structlog", "26.1.0", "8174a86a2f14b5bd295eded733ff5fffc12aa173", needs="--group tests"),
    RealProject("jazzband/pip-tools", "v7.6.1", "5bc5ded0b685637d6dffb926c00829220b4c6834", extras="testing"),
    RealProject("jd/tenacity", "9.1.4", "d4e868d6b8368c00b5a1fad54de36c2c8c3a0fb3", extras="test"),
    RealProject(
        "mahmoud/boltons", "26.1.0", "1d525271754ed7aea7f2347ed16ddbcedb1097a3", needs="--group dev", pytest="tests"
    ),
    RealProject("marshmallow-code/marshmallow", "3.23.0", "5e71a040a91937b31f495d0817b9c44722a50ee5", extras="tests"),
    RealProject("more-itertools/more-itertools", "v11.1.0", "64be96ceb2a6e836f76f069f4a96d2394d59fd0c", pytest="tests"),
    RealProject("pallets/click", "8.4.2", "b2e30a175449cfda909ee4fbf4a29a6a071cad53", needs="--group tests"),
    RealProject("pallets/flask", "3.1.3", "22d924701a6ae2e4cd01e9a15bbaf3946094af65", needs="--group tests"),
    RealProject(
        "pallets/itsdangerous", "2.2.0", "096c8d42545d3b68ea21a4f890fb2b2d8979c0bd", needs="-r requirements/tests.txt"
    ),
    RealProject(
        "pallets/jinja", "3.1.6", "15206881c006c79667fe5154fe80c01c65410679", needs="-r requirements/tests.txt"
    ),
    RealProject(
        "pallets/markupsafe", "3.0.2", "28ace20b140d15c083e1cbc163ee6b7778ba098c", needs="-r requirements/tests.txt"
    ),
    RealProject(
        "pre-commit/pre-commit",
        "v4.6.2",
        "9767b6c8211a6bf683875a0afcf2b390457a4b66",
        needs="-r requirements-dev.txt",
        pytest="tests --ignore=tests/languages",
    ),
    RealProject(
        "psf/black",
        "26.5.1",
        "87928e6d6761a4a6d22250e1fee5601b3998086e",
        needs="--group tests",
        extras="d,jupyter",
        pytest='-k "not incompatible_with_mypyc"',
    ),
    RealProject(
        "psf/requests",
        "v2.34.2",
        "6e83187b8feb273ed4c6cdab5efd8d54901dfab3",
        needs="--group test",
        extras="socks",
        pytest="tests",
    ),
    RealProject(
        "pydantic/pydantic-settings", "v2.15.0", "f725ca187bee4212e9ef799eefa3cb25be788462", needs="--group testing"
    ),
    RealProject(
        "pypa/build", "1.5.1", "d08fcd723500a7d676867144e1e7a22b650aeb7d", needs="--group test", extras="uv,virtualenv"
    ),
    RealProject(
        "pypa/installer", "1.0.1", "7ffa96f4ada5f38792e340ba7f9e1c43e0104768", needs="-r tests/requirements.txt"
    ),
    RealProject("pypa/packaging", "26.3", "929fd4b1410ac7ef61ef3f45b2f5d7e87711a9b5", needs="--group test"),
    RealProject(
        "pypa/readme_renderer",
        "45.0",
        "7bc71479cb016501d8339ab5a63fed68247e92ff",
        needs="pytest pytest-icdiff",
        extras="md",
    ),
    RealProject(
        "pypa/twine", "7.0.0", "fdb86cb45de11faeece9b274be6da7d275cdd4f9", needs="pretend pytest pytest-socket coverage"
    ),
    RealProject("pytest-dev/iniconfig", "v2.1.0", "34793a6417e35e511d0c17ffdd8a02ade0f9568e"),
    RealProject("pytest-dev/pluggy", "1.6.0", "fd08ab5f811a9b2fa9124ae8cbbd393221151e2c", extras="testing"),
    RealProject("pytest-dev/pytest", "9.1.0", "b2522cf0b11fb33ecc1f4895fa1dffbb9252a63d", extras="dev"),
    RealProject("python-attrs/attrs", "26.1.0", "7bfc49e9b22d5ba25b6e429524c3d49fee27cb36", needs="--group tests"),
    RealProject("python-humanize/humanize", "4.16.0", "3c577d7650508d52aa2982e930b0e744c343082f", extras="tests"),
    RealProject(
        "python-jsonschema/jsonschema",
        "v4.26.0",
        "a7277432b0f7bcd0551f6e589d30457017125df4",
        needs="--group test pytest",
        extras="format",
    ),
    RealProject("pytoolz/toolz", "1.1.0", "568c2b8393973cd172a466546c9d95779c452438"),
    RealProject("sdispater/tomlkit", "0.12.4", "911cccd630965ff423316e25b4685ecf7df0ec0a", needs="pytest==7.* pyyaml"),
    RealProject("simonw/sqlite-utils", "4.2.1", "28dc6278cc03a9245325d056e6986818544abc68", needs="--group dev"),
    RealProject(
        "tartley/colorama", "0.4.6", "3de9f013df4b470069d03d250224062e8cf15c49", needs="mock pytest", pytest="colorama"
    ),
    RealProject(
        "theskumar/python-dotenv",
        "v1.2.2",
        "36004e0e34be7665ff2b11a8a4005144f76f176d",
        needs="pytest click ipython sh",
        extras="cli",
    ),
    RealProject("tkem/cachetools", "v7.0.6", "28d4506f2a49d781ffbcecb095fa7aba5bb80aff"),
    RealProject("tox-dev/filelock", "3.32.3", "4aa742ca0992135fe21df290c8e9023f6981bb6f", needs="--group test"),
    RealProject("tox-dev/platformdirs", "4.11.3", "7f3960afd756d720c9db030ba2aa62690b206e27", needs="--group test"),
    RealProject(
        "tqdm/tqdm",
        "v4.69.1",
        "93370ff891582e458c40196ea78a1a9d720fbb45",
        needs="pytest pytest-timeout pytest-asyncio",
        pytest='-k "not perf"',
    ),
    RealProject(
        "wntrblm/nox",
        "2026.08.17",
        "a976d7ee04ab7a13634adc1016d4755a1348225f",
        needs="--group test",
        extras="tox-to-nox,uv",
    ),
    RealProject("yaml/pyyaml", "6.0", "8cdff2c80573b8be8e8ad28929264a913a63aa33"),
)
