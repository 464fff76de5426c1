"""What test files import, and which packages provide that, as far as names tell.

Which package provides a module is known only once it is installed. Names are enough to compare sources: most are
equal, and a name that is unknown here counts for no source.
"""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec
from packaging.utils import canonicalize_name

from unmoor.project.test_needs.style_plugins import asked_for

# Modules whose package has another name, by the first part of the name.
_PROVIDED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "_pytest": ("pytest",),
    "attr": ("attrs",),
    "bs4": ("beautifulsoup4",),
    "coverage_enable_subprocess": ("coverage-enable-subprocess",),
    "crypto": ("pycryptodome", "pycryptodomex"),
    "cv2": ("opencv-python", "opencv-python-headless"),
    "dns": ("dnspython",),
    "git": ("gitpython",),
    "google": ("protobuf", "google-auth"),
    "magic": ("python-magic",),
    "markdown_it": ("markdown-it-py",),
    "mysqldb": ("mysqlclient",),
    "nacl": ("pynacl",),
    "openssl": ("pyopenssl",),
    "pil": ("pillow",),
    "pkg_resources": ("setuptools",),
    "psycopg2": ("psycopg2-binary",),
    "rest_framework": ("djangorestframework",),
    "socks": ("pysocks",),
    "sklearn": ("scikit-learn",),
    "websocket": ("websocket-client",),
    "yaml": ("pyyaml", "ruamel-yaml"),
    "zmq": ("pyzmq",),
}
# Fixtures and options by which a plugin of pytest shows, each with the plugin.
_FIXTURES: Final[Mapping[str, str]] = {
    "benchmark": "pytest-benchmark",
    "freezer": "pytest-freezer",
    "httpserver": "pytest-httpserver",
    "httpx_mock": "pytest-httpx",
    "mocker": "pytest-mock",
    "requests_mock": "requests-mock",
    "respx_mock": "respx",
    "snapshot": "syrupy",
    "data_regression": "pytest-regressions",
}
_MARKS: Final[Mapping[str, str]] = {
    "asyncio": "pytest-asyncio",
    "benchmark": "pytest-benchmark",
    "django_db": "pytest-django",
    "enable_socket": "pytest-socket",
    "trio": "pytest-trio",
    "twisted": "pytest-twisted",
}
_SETTINGS: Final[Mapping[str, str]] = {
    "asyncio_mode": "pytest-asyncio",
    "asyncio_default_fixture_loop_scope": "pytest-asyncio",
    "env": "pytest-env",
    "timeout": "pytest-timeout",
    "django_settings_module": "pytest-django",
    "trio_mode": "pytest-trio",
    "mock_use_standalone_module": "pytest-mock",
}
_OPTIONS: Final = (
    (re.compile(r"(?:^|\s)--(?:no-)?cov\b"), "pytest-cov"),
    (re.compile(r"(?:^|\s)(?:-n\s*(?:\d|auto|logical)|--numprocesses|--dist)\b"), "pytest-xdist"),
    (re.compile(r"(?:^|\s)--timeout\b"), "pytest-timeout"),
    (re.compile(r"(?:^|\s)--benchmark-"), "pytest-benchmark"),
    (re.compile(r"(?:^|\s)--randomly-"), "pytest-randomly"),
    (re.compile(r"(?:^|\s)--(?:disable|allow)-(?:socket|hosts)"), "pytest-socket"),
    (re.compile(r"(?:^|\s)--reruns\b"), "pytest-rerunfailures"),
    (re.compile(r"(?:^|\s)--asyncio-mode\b"), "pytest-asyncio"),
)
# What comes with a package that tests often have, and is then imported by its own name.
_BRINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "covdefaults": ("coverage",),
    "httpx": ("anyio", "certifi", "httpcore", "idna"),
    "jinja2": ("markupsafe",),
    "moto": ("boto3", "botocore"),
    "pandas": ("numpy",),
    "pydantic": ("annotated-types", "pydantic-core", "typing-extensions"),
    "pytest": ("iniconfig", "packaging", "pluggy"),
    "pytest-cov": ("coverage",),
    "pytest-xdist": ("execnet",),
    "requests": ("certifi", "idna", "urllib3"),
    "rich": ("pygments",),
    "sphinx": ("docutils", "jinja2"),
    "trio": ("outcome", "sniffio"),
}
# How the names of packages differ from those of their modules, most often.
_FORMS: Final = ("python-{}", "py{}", "{}-python", "pytest-{}", "{}-py")
_MARK: Final = re.compile(r"\bmark\.(\w+)")
# Without such a module pytest skips tests.
_SKIPPED: Final = re.compile(r"\bimportorskip\(\s*[\"']([A-Za-z_][\w.]*)")
_MOST_CHARACTERS: Final = 3_000_000
_FIXED: Final = frozenset({"__future__", "__main__", "conftest", "pytest", "_pytest", "py"})


class Imports(msgspec.Struct, frozen=True, kw_only=True):
    """Modules that tests cannot do without, those that they can, and the packages that their options ask for."""

    needed: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    plugins: frozenset[str] = frozenset()

    def covered(self, packages: Collection[str]) -> int:
        """How many of the modules that tests need, and of the plugins, a set of packages provides."""
        packages = _with_brought(packages)
        return sum(is_provided(each, packages) for each in self.needed) + len(self.plugins & set(packages))

    def covered_optional(self, packages: Collection[str]) -> int:
        """The same for the modules that tests can do without."""
        packages = _with_brought(packages)
        return sum(is_provided(each, packages) for each in self.optional)

    def missing(self, packages: Collection[str]) -> tuple[str, ...]:
        """Names of packages that would provide what is missing: a guess, to be shown and never installed."""
        packages = _with_brought(packages)
        absent = [each for each in self.needed if not is_provided(each, packages)]
        named = {likely_package(each) for each in absent}
        return tuple(sorted(named | (self.plugins - set(packages))))


def likely_package(module: str) -> str:
    """The package that probably provides a module: a guess, to be shown and never installed.

    >>> likely_package("yaml.nodes"), likely_package("some_thing")
    ('pyyaml', 'some-thing')
    """
    top = _top(module)
    return _PROVIDED_BY.get(top.lower(), (canonicalize_name(top),))[0]


def _with_brought(packages: Collection[str]) -> set[str]:
    return {*packages, *(each for name in packages for each in _BRINGS.get(name, ()))}


def is_provided(module: str, packages: Collection[str]) -> bool:
    """Whether one of the packages has the name of a module, or is known to provide it.

    >>> is_provided("yaml.nodes", {"pyyaml"}), is_provided("jaraco.text", {"jaraco-text"}), is_provided("x", {"y"})
    (True, True, False)
    """
    parts = module.lower().split(".")
    prefixes = {canonicalize_name("-".join(parts[:end])) for end in range(1, len(parts) + 1)}
    top = canonicalize_name(parts[0])
    known = {*prefixes, *_PROVIDED_BY.get(parts[0], ()), *(form.format(top) for form in _FORMS)}
    return not known.isdisjoint(packages)


def imports_of(texts: Mapping[str, str], *, first: Collection[str], local: Collection[str]) -> Imports:
    """Read what Python sources import, besides the standard library, pytest and the ``local`` top-level names.

    ``texts`` are sources by path. Those in ``first`` count, and those that they import. Sources beyond 3 MB are left
    out, since reading them takes a second for each.
    """
    known = {*local, *sys.stdlib_module_names, *_FIXED}
    found = _Found()
    by_name: dict[str, list[str]] = {}
    for path in texts:
        parts = path.removesuffix(".py").split("/")
        by_name.setdefault(parts[-2] if parts[-1] == "__init__" and len(parts) > 1 else parts[-1], []).append(path)
    waiting, seen, size = [path for path in first if path in texts], set(first), 0
    while waiting:
        path = waiting.pop(0)
        size += len(texts[path])
        if size > _MOST_CHARACTERS:
            break
        for name in found.read(texts[path]):
            more = [each for each in by_name.get(name, ()) if each not in seen]
            seen.update(more)
            waiting += more
    needed = {each for each in found.sure if _top(each) not in known}
    optional = {each for each in found.perhaps if _top(each) not in known} - needed
    return Imports(needed=frozenset(needed), optional=frozenset(optional), plugins=frozenset(found.plugins))


@dataclass(kw_only=True)
class _Found:
    """What sources import in any case, what they import under a condition, and the plugins that they use."""

    sure: set[str] = field(default_factory=set)
    perhaps: set[str] = field(default_factory=set)
    plugins: set[str] = field(default_factory=set)

    def read(self, text: str) -> set[str]:
        """Read one source. Returns the parts of all module names in it, for those that may be local."""
        skipped = {_top(each) for each in _SKIPPED.findall(text)}
        self.perhaps |= set(_SKIPPED.findall(text))
        self.plugins |= {_MARKS[each] for each in _MARK.findall(text) if each in _MARKS}
        parts: set[str] = set()
        for node, sure in _statements(text):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self.plugins |= {_FIXTURES[each.arg] for each in node.args.args if each.arg in _FIXTURES}
            for name in _names(node):
                (self.sure if sure and _top(name) not in skipped else self.perhaps).add(name)
            if isinstance(node, ast.Import | ast.ImportFrom):
                module = node.module if isinstance(node, ast.ImportFrom) else None
                parts |= {part for each in (module or "", *(it.name for it in node.names)) for part in each.split(".")}
        return parts


def plugins_of(settings: Mapping[str, str]) -> frozenset[str]:
    """The plugins that the configuration of pytest asks for."""
    found = {plugin for key, plugin in _SETTINGS.items() if key in {each.lower() for each in settings}}
    found |= {plugin for form, plugin in _OPTIONS if form.search(settings.get("addopts", ""))}
    found |= asked_for(settings.get("addopts", ""))
    required = re.findall(
        r"^\s*([A-Za-z][\w.-]*)", settings.get("required_plugins", "").replace(" ", "\n"), re.MULTILINE
    )
    return frozenset(found | {canonicalize_name(each) for each in required})


def _statements(text: str) -> Iterator[tuple[ast.stmt, bool]]:
    """The statements of a source, each with whether it runs in any case: not within ``try`` or ``if``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the project's own literals
        try:
            waiting: list[tuple[ast.AST, bool]] = [(ast.parse(text), True)]
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
    while waiting:
        node, sure = waiting.pop()
        if isinstance(node, ast.stmt):
            yield node, sure
        inner = sure and not isinstance(node, ast.Try | ast.If)
        for key in ("body", "orelse", "finalbody", "handlers"):
            waiting += ((each, inner) for each in getattr(node, key, ()))


def _names(node: ast.AST) -> Iterator[str]:
    """The modules that a statement imports."""
    if isinstance(node, ast.Import):
        yield from (each.name for each in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module


def _top(module: str) -> str:
    return module.partition(".")[0]
