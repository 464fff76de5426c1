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
    RealProject("GrahamDumpleton/wrapt", "2.4.0rc1", "2061a7011c27e5cd60d3105e3e61d26c5db740b2", needs="--group dev"),
    RealProject("PyCQA/flake8", "7.3.0", "c48217e1fc006c2dddd14df54e83b67da15de5cd"),
    RealProject(
        "PyCQA/pycodestyle",
        "2.14.0",
        "814a0d1259444a21ed318e64edaf6a530c2aeeb8",
        needs="pytest covdefaults coverage",
        pytest="tests",
    ),
    RealProject("PyCQA/pyflakes", "3.4.0", "59ec4593efd4c69ce00fdb13c40fcf5f3212ab10"),
    RealProject("Pylons/colander", "2.0", "dcec3bc60487aa81ff03373238bac323845fca2d", extras="testing"),
    RealProject(
        "Python-Markdown/markdown",
        "3.10.3",
        "bb50627dc07fde6ee5ed7478464062c537ebad2c",
        needs="pytest pytidylib",
        extras="testing",
        pytest="tests",
    ),
    RealProject("Suor/funcy", "2.0", "13fac0037c109a9e4649fc8ee343be17647f7407", needs="pytest whatever"),
    RealProject("Textualize/rich", "v14.3.3", "ce0118819d172d134507bcf5982d3faf82bbc43e", needs="pytest attrs"),
    RealProject(
        "agronholm/anyio", "4.14.2", "c384f99687c64c59ed8a11c3a0f11a2d57daff71", needs="--group test", extras="trio"
    ),
    RealProject(
        "aio-libs/frozenlist",
        "v1.8.0",
        "48324affeecc2fff8f84f38368f720426c0354cf",
        needs="pytest pytest-cov pytest-xdist cython",
    ),
    RealProject(
        "aio-libs/multidict", "v6.7.1", "39d3c322f6a9e824beee9b6f178e3166205f0f59", needs="-r requirements/pytest.txt"
    ),
    RealProject(
        "aio-libs/yarl", "v1.24.5", "0b30cb02d07f8ac454762eed3c2edea0892e9a24", needs="-r requirements/test.txt"
    ),
    RealProject("andialbrecht/sqlparse", "0.6.0", "2f40da99b50d81135aecf96f6b08fcfa338a96de"),
    RealProject("arrow-py/arrow", "1.4.0", "2c1f5185ad66bf3b1cf8c0812f4b4fe65ac46656", extras="test"),
    RealProject(
        "astanin/python-tabulate",
        "v0.10.0",
        "3b4cd509820e4c45cd2aaba833aa585ea6308b94",
        pytest="--doctest-modules --ignore benchmark",
    ),
    RealProject(
        "bottlepy/bottle",
        "0.13.4",
        "b0a0a1014f7a7e6f6b7c193886a0913f46ee3ee6",
        needs="pytest mako jinja2",
        pytest="test",
    ),
    RealProject("carpedm20/emoji", "v2.14.1", "08c5cc4789d924ad4215e2fb2ee8f0b19a0d421f", extras="dev"),
    RealProject("collective/icalendar", "v7.3.0", "138c8453db34fbb584bbcbc592fd7bd4b972e8ef", needs="--group test"),
    RealProject("cpburnz/python-pathspec", "v1.1.1", "ecf71a99ca739479d450b9830f43416ea0c519c7", needs="--group dev"),
    RealProject(
        "dateutil/dateutil",
        "2.9.0.post0",
        "1ae807774053c071acc9e7d3d27778fba0a7773e",
        needs="-r requirements-dev.txt",
        pytest="tests",
    ),
    RealProject("davidhalter/parso", "v0.8.7", "bfe30584415cde2e5a686512c2b109e1d06da3b6", needs="pytest docopt"),
    RealProject(
        "dbader/schedule",
        "1.2.2",
        "82a43db1b938d8fdf60103bd41f329e06c8d3651",
        extras="timezone",
        pytest="test_schedule.py",
    ),
    RealProject("django/asgiref", "3.12.1", "ef9d4b8b371cf8a7bb63dea3d0fdc60923e9e081", extras="tests"),
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
    RealProject("erikrose/parsimonious", "0.10.0", "a33206834534df5bc1da341315c819f4312b8131"),
    RealProject(
        "executablebooks/markdown-it-py",
        "v4.2.0",
        "36c5f547144df2d01970a5792d68c71a3380b227",
        extras="linkify,testing",
        pytest="tests",
    ),
    RealProject("fastapi/typer", "0.27.1", "fe2aa0e2f9c853de378e60ca24ec3b256144decf", needs="--group tests"),
    RealProject("gruns/furl", "v2.1.4", "fea659e66f078f3c81b1a70e609192ea3aedfef6"),
    RealProject(
        "hukkin/mdformat", "1.0.0", "82912cdaea4fb830f751504486a7879c70526547", needs="-r tests/requirements.txt"
    ),
    RealProject("hukkin/tomli", "2.4.0", "a678e6fdeffa89bd28e4ecc148b926a4e1bbbc7b"),
    RealProject("hynek/argon2-cffi", "25.1.0", "1fcae4fc1b7ff192b5ade54f6616771e5cf5f391", needs="--group tests"),
    RealProject("hynek/structlog", "26.1.0", "8174a86a2f14b5bd295eded733ff5fffc12aa173", needs="--group tests"),
    RealProject("ilevkivskyi/typing_inspect", "0.9.0", "c014abf73c165dda826e4c25504f9250bbca9045"),
    RealProject(
        "ionelmc/python-lazy-object-proxy",
        "v1.12.0",
        "1b694980d50cd483a2d5159ac7f4d63c894ec630",
        needs="pytest pytest-benchmark Django objproxies hunter setuptools setuptools_scm",
    ),
    RealProject("jaraco/inflect", "v7.5.0", "c079a96a573ece60b54bd5210bb0f414beb74dcd", extras="test"),
    RealProject("jazzband/pip-tools", "v7.6.1", "5bc5ded0b685637d6dffb926c00829220b4c6834", extras="testing"),
    RealProject("jazzband/prettytable", "3.11.0", "cb498add2e601e61c54558b84a4ceb785489213d", extras="tests"),
    RealProject(
        "jcrist/msgspec",
        "0.21.1",
        "10c9ac4a8d0a9aacb7854a71f5cf479b47594736",
        needs="--group test-unit",
        pytest="tests/unit",
    ),
    RealProject("jcrist/quickle", "0.4.0", "57b65ead095b6c022130fa066bf9173b86f53d77", pytest="tests"),
    RealProject("jd/tenacity", "9.1.4", "d4e868d6b8368c00b5a1fad54de36c2c8c3a0fb3", extras="test"),
    RealProject("jpadilla/pyjwt", "2.12.1", "a4e1a3d1218b01c5806420b8f16d9308ac4adc30", extras="tests,crypto"),
    RealProject("keleshev/schema", "v0.7.8", "7434a6b3c9cd1672f0d491ed45114054750627af", needs="pytest mock"),
    RealProject("kjd/idna", "v3.13", "89cdfd27338896cee6b1ee18e64c96ac28684ce0"),
    RealProject("lepture/mistune", "v3.3.4", "69ec2b8a6d5b37ecb3c56d96df4b40b9d3004657", needs="--group dev"),
    RealProject(
        "lincolnloop/python-qrcode", "v8.2", "3704f57a1107dbf553a50f5b531da3859abe19cf", needs="pytest pillow pypng"
    ),
    RealProject(
        "magmax/python-readchar", "v4.2.1", "892a33dbfae360a15c2764bfac325fcf943d4bfa", needs="pytest pytest-cov"
    ),
    RealProject(
        "mahmoud/boltons", "26.1.0", "1d525271754ed7aea7f2347ed16ddbcedb1097a3", needs="--group dev", pytest="tests"
    ),
    RealProject(
        "mahmoud/glom", "v24.11.0", "d296009a13b0d8e42a10b4688b18326fda486038", needs="pytest pyyaml", pytest="glom"
    ),
    RealProject("marshmallow-code/apispec", "6.7.0", "0b2ff4506f88ab2c011b4da0b8c2ccd508c536b1", extras="tests"),
    RealProject("marshmallow-code/marshmallow", "3.23.0", "5e71a040a91937b31f495d0817b9c44722a50ee5", extras="tests"),
    RealProject("martinblech/xmltodict", "v1.0.4", "8d7f1fdb2251b5dc3b98df447850cb8229defc32", extras="test"),
    RealProject("mewwts/addict", "v2.4.0", "338936265dd924ec5892aeee9c122d7e4f77680d"),
    RealProject("micheles/decorator", "5.3.1", "426e9e35d563ffe356e54bd0f970d153b8f25370", pytest="tests/test.py"),
    RealProject(
        "miguelgrinberg/microdot",
        "v2.6.2",
        "b241dfce270883e5018f0b8ec8f5821ea4fe156e",
        needs="pytest pytest-cov jinja2 pyjwt",
        pytest="-p no:logging -o pythonpath=libs/common tests",
    ),
    RealProject("more-itertools/more-itertools", "v11.1.0", "64be96ceb2a6e836f76f069f4a96d2394d59fd0c", pytest="tests"),
    RealProject(
        "mozilla/bleach", "v6.3.0", "5546d5dbce60d08ccb99d981778d74044d646d4e", needs="pytest==8.2.2", extras="css"
    ),
    RealProject(
        "msgpack/msgpack-python",
        "v1.2.1",
        "448d43f5dcca7b3a2b0810e161af0a6431d90071",
        needs="--group dev",
        pytest="test",
    ),
    RealProject(
        "pallets-eco/blinker", "1.9.0", "669f3a027828d19786e708b511277fabcd6b9532", needs="-r requirements/tests.txt"
    ),
    RealProject("pallets-eco/wtforms", "3.3.0b3", "62bbb07f5f7d17397819ccb2b7ad1718a413e76d", needs="--group dev"),
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
    RealProject("pallets/werkzeug", "3.1.8", "c1a26b45fb06d5e086b4d6be820c3302f588d815", needs="--group tests"),
    RealProject("pexpect/ptyprocess", "0.7.0", "ee54ae2ee6bdd1e9f040dac79d799ae5b178e8fe"),
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
        "pyca/service-identity",
        "26.1.0",
        "5025f92e3856e814bb5012ba4ed03b71320131d8",
        needs="--group tests pyopenssl",
        extras="idna",
    ),
    RealProject(
        "pydantic/pydantic-settings", "v2.15.0", "f725ca187bee4212e9ef799eefa3cb25be788462", needs="--group testing"
    ),
    RealProject(
        "pypa/build", "1.5.1", "d08fcd723500a7d676867144e1e7a22b650aeb7d", needs="--group test", extras="uv,virtualenv"
    ),
    RealProject(
        "pypa/flit",
        "4.0.0",
        "ef7f31925305a50bd097f06b913717192490ad44",
        needs="pytest tomli-w",
        extras="test",
        pytest="tests",
    ),
    RealProject(
        "pypa/installer", "1.0.1", "7ffa96f4ada5f38792e340ba7f9e1c43e0104768", needs="-r tests/requirements.txt"
    ),
    RealProject("pypa/packaging", "26.3", "929fd4b1410ac7ef61ef3f45b2f5d7e87711a9b5", needs="--group test"),
    RealProject(
        "pypa/pyproject-hooks", "v1.2.0", "4b7c6d113fb89b755d762a88712c8a6873cddd47", needs="-r dev-requirements.txt"
    ),
    RealProject(
        "pypa/readme_renderer",
        "45.0",
        "7bc71479cb016501d8339ab5a63fed68247e92ff",
        needs="pytest pytest-icdiff",
        extras="md",
    ),
    RealProject("pypa/trove-classifiers", "2026.1.14.14", "05cc151733645d6fe075147ae47cf5cc11aaa84e"),
    RealProject(
        "pypa/twine", "7.0.0", "fdb86cb45de11faeece9b274be6da7d275cdd4f9", needs="pretend pytest pytest-socket coverage"
    ),
    RealProject("pypa/wheel", "0.48.0", "21c4da4c54c3b354cc22dc7f6f6374ffcd560e84", needs="--group test"),
    RealProject(
        "pyparsing/pyparsing",
        "3.3.2",
        "fa24016d953353f8ba566abb5c8fc12e1d07556c",
        needs="pytest matplotlib",
        extras="diagrams",
        pytest="tests examples/tiny/tests",
    ),
    RealProject(
        "pytest-dev/execnet",
        "v2.1.2",
        "9313ece783ba2bd565eb1a2a8a71be441af56199",
        needs="pytest pytest-timeout",
        pytest="testing",
    ),
    RealProject("pytest-dev/iniconfig", "v2.1.0", "34793a6417e35e511d0c17ffdd8a02ade0f9568e"),
    RealProject("pytest-dev/pluggy", "1.6.0", "fd08ab5f811a9b2fa9124ae8cbbd393221151e2c", extras="testing"),
    RealProject("pytest-dev/pytest", "9.1.0", "b2522cf0b11fb33ecc1f4895fa1dffbb9252a63d", extras="dev"),
    RealProject(
        "pytest-dev/pytest-mock",
        "v3.15.1",
        "e1b5c62a38c5a05cae614aef3847f240ba50d269",
        needs="pytest pytest-asyncio mock",
    ),
    RealProject(
        "pytest-dev/pytest-timeout",
        "2.5.0",
        "945ec4617ef25ea2ea8d38930e26fb6509a72f6b",
        needs="pytest pexpect pytest-cov",
    ),
    RealProject("python-attrs/attrs", "26.1.0", "7bfc49e9b22d5ba25b6e429524c3d49fee27cb36", needs="--group tests"),
    RealProject("python-humanize/humanize", "4.16.0", "3c577d7650508d52aa2982e930b0e744c343082f", extras="tests"),
    RealProject(
        "python-hyper/h11",
        "v0.16.0",
        "1c5b07581f058886c8bdd87adababd7d959dc7ca",
        needs="-r test-requirements.txt",
        pytest="h11",
    ),
    RealProject("python-hyper/wsproto", "1.3.2", "820701baf101b8c364a879440e1215da2fb0973f", needs="--group testing"),
    RealProject(
        "python-jsonschema/jsonschema",
        "v4.26.0",
        "a7277432b0f7bcd0551f6e589d30457017125df4",
        needs="--group test pytest",
        extras="format",
    ),
    RealProject(
        "python-jsonschema/referencing",
        "v0.37.0",
        "944ed5a20bc5125f2349156cbdc365daac0e67e6",
        needs="pytest pytest-subtests",
    ),
    RealProject(
        "python-poetry/poetry-core",
        "2.3.2",
        "23bf0ac6b8a50a0756ef4d657d8ff67aef88aa67",
        needs="pytest pytest-mock build setuptools tomli-w virtualenv trove-classifiers",
    ),
    RealProject(
        "python-trio/sniffio",
        "v1.3.1",
        "ae020e13b98d276a6558ffc25e82509fd4c288f0",
        needs="-r test-requirements.txt",
        pytest="sniffio",
    ),
    RealProject("pytoolz/toolz", "1.1.0", "568c2b8393973cd172a466546c9d95779c452438"),
    RealProject(
        "r1chardj0n3s/parse", "1.21.0", "738447715c76f8ebc460b33320307faccafbc599", needs="-r tests/requirements.txt"
    ),
    RealProject(
        "rustedpy/result", "v0.17.0", "399cc418dca6cc0ce3d826e31937bd7fc6e115a6", needs="-r requirements-dev.txt"
    ),
    RealProject(
        "scrapy/parsel",
        "v1.11.0",
        "05b3d37bf292d012f3d0b71fb7f0697d03af113e",
        needs="pytest psutil sybil",
        pytest="docs tests",
    ),
    RealProject(
        "scrapy/w3lib", "v2.4.1", "7576e1865d646e137e3b7e95e5121d58846558ff", pytest="--doctest-modules w3lib tests"
    ),
    RealProject("sdispater/tomlkit", "0.12.4", "911cccd630965ff423316e25b4685ecf7df0ec0a", needs="pytest==7.* pyyaml"),
    RealProject("simonw/sqlite-utils", "4.2.1", "28dc6278cc03a9245325d056e6986818544abc68", needs="--group dev"),
    RealProject("simplejson/simplejson", "v4.1.1", "639b2ee73b2de6b385fcd4d44e0e08054a4d8a0e"),
    RealProject("sqlalchemy/mako", "rel_1_4_1", "79dcdf847284b3a79e25bd3795621ce58f9e3439", needs="--group tests"),
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
    RealProject("tox-dev/pyproject-api", "1.11.0", "d184fa3dda4ad8f5199af3a2be7a3d1895e135bf", needs="--group test"),
    RealProject(
        "tqdm/tqdm",
        "v4.69.1",
        "93370ff891582e458c40196ea78a1a9d720fbb45",
        needs="pytest pytest-timeout pytest-asyncio",
        pytest='-k "not perf"',
    ),
    RealProject("un33k/python-slugify", "v8.0.4", "f85f9488520148d5f6899b5639199882b605e30a", pytest="test.py"),
    RealProject(
        "wntrblm/nox",
        "2026.08.17",
        "a976d7ee04ab7a13634adc1016d4755a1348225f",
        needs="--group test",
        extras="tox-to-nox,uv",
    ),
    RealProject("yaml/pyyaml", "6.0", "8cdff2c80573b8be8e8ad28929264a913a63aa33"),
    RealProject(
        "zopefoundation/zope.event",
        "6.2",
        "f0cebf5cea5f508db25b9aec67cc27c5e2d63a34",
        extras="test",
        pytest="src/zope/event/tests.py",
    ),
    RealProject(
        "zopefoundation/zope.interface",
        "8.4",
        "7a6b18a4166ae4343e5021e1bf6456493c7faf09",
        extras="test",
        pytest="--pyargs zope.interface",
    ),
)
