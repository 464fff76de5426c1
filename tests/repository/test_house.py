"""Rules of this repository that no linter checks."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.support.syntax import nodes, syntax
from tests.support.systems import posix

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "unmoor").rglob("*.py"))
FUNCTION_LINES = 60
"""The largest number of lines of a function."""
MODULE_LINES = 350
"""A module with more lines gives a reason in its docstring."""
PACKAGE = ROOT / "src" / "unmoor"
STAGES = [path for path in SOURCES if path.parent == PACKAGE / "stages" and path.name != "__init__.py"]
STAGE_KINDS = {"Check", "Build", "Push", "Publish"}
TESTS_OF_NO_ROOM = {"advice", "browser", "journeys", "laws", "repository", "support"}
"""Folders of tests without a counterpart in the package, because they test it as a whole."""
TESTS_OF_SEVERAL = {
    "adapters/git/test_hostile.py": "every way in which git reads a checkout, with traps in its configuration",
    "adapters/git/test_user_settings.py": "every way in which git is used, with settings and owners of all kinds",
    "test_growth.py": "every reader of text from outside: how its time grows",
    "adapters/http/test_tls.py": "sessions and downloads over TLS, with a certificate authority of its own",
    "adapters/forge/test_faults.py": "the forge's adapter against servers that lie, break off and limit",
    "adapters/registry/test_faults.py": "the registries' adapter against registries that misbehave",
    "cli/test_links.py": "every command, with a link at every place of `.unmoor`",
    "cli/test_partial_states.py": "`status` and `undo`, on everything that a release can leave behind",
    "cli/test_module.py": "`python -m unmoor`, which is __main__ at the top",
    "dists/checks/test_corpus.py": "every rule, against a corpus of bad files",
    "dists/checks/test_index.py": "the rules against the local index, which shares no code with them",
    "dists/checks/test_limits.py": "rules that count and add up, and the page that lists every rule",
    "dists/checks/test_mutations.py": "wheels bent at any byte, against every check and the local index",
    "filesystem/test_ignored_case.py": "a file system that is mounted for it",
    "filesystem/test_mounted.py": "every use of files, on file systems that are mounted for it",
    "images/tags/test_cases.py": "the rule language against a table of docker/metadata-action's answers",
    "notes/test_decision.py": "which source the notes come from, which the room itself decides",
    "products/test_summary.py": "what every product says of itself in one line",
    "rehearsal/index/test_clients.py": "the local world, used by twine, uv, pip and PyGithub",
    "rehearsal/registry/test_adapters.py": "the local registries, used by our own adapters",
    "rehearsal/registry/test_clients.py": "the local registries, used by clients that are no code of ours",
    "rehearsal/sigstore/test_clients.py": "the local Sigstore, used by clients that are no code of ours",
    "render/test_listeners.py": "one run, reported to every listener",
    "stages/test_planted_documents.py": "records and proofs that somebody planted, over the stages that read them",
    "stages/test_annotations.py": "annotations of images, on the way through two stages",
    "stages/test_kept_images.py": "images kept for a later job, over the stages that build and use them",
    "stages/test_registry_engine.py": "the stages registry and image-tags upon a real engine",
}
"""Test files that cover more than one module, with what they test."""


def _kept() -> Iterator[Path]:
    """Yield every file that git tracks or would track."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode().split("\0")
        yield from (ROOT / name for name in names if name and (ROOT / name).is_file())
        return
    for folder, names, files in os.walk(ROOT):
        names[:] = [
            name
            for name in names
            if name not in {".venv", ".venv-lowest", ".venv-docs", ".cache", "build", "dist", "__pycache__"}
        ]
        yield from (Path(folder) / name for name in files)


def test_no_registry_is_named() -> None:
    """The addresses of indexes come from twine and from the settings, never from a file of this repository."""
    pieces = ("pypi", "pythonhosted")
    hosts = re.compile(rf"({'|'.join(pieces)})[.]org|[.]debian[.]org|registry[.]npm".encode(), re.IGNORECASE)
    assert [path.relative_to(ROOT).as_posix() for path in _kept() if hosts.search(path.read_bytes())] == []


@posix
def test_scripts_say_what_runs_them_and_may_be_run() -> None:
    """A file with a shebang is executable, uses bash, and stops at the first failure."""
    for path in _kept():
        if path.suffix == ".py" or not path.read_bytes().startswith(b"#!"):
            continue
        text = path.read_text("utf-8")
        assert text.startswith("#!/usr/bin/env bash\n"), path
        assert re.search(r"^set -eu", text, re.MULTILINE), path
        assert path.stat().st_mode & 0o111, path


def test_only_the_command_line_prints_and_exits() -> None:
    """Code that prints or exits cannot be used by another program, and disturbs the output of the listeners."""
    banned = {"print", "exit", "quit", "sys.exit", "SystemExit", "sys.stdout.write", "sys.stderr.write"}
    last = {name.rpartition(".")[2] for name in banned}
    for path in SOURCES:
        source = path.read_text("utf-8")
        if path.is_relative_to(ROOT / "src" / "unmoor" / "cli") or 'if __name__ == "__main__":' in source:
            continue  # a file that is started as a program of its own is a command line too
        calls = [node.func for node in nodes(path) if isinstance(node, ast.Call)]
        plain = [func for func in calls if (getattr(func, "id", "") or getattr(func, "attr", "")) in last]
        assert not {ast.unparse(func) for func in plain} & banned, path


def test_a_struct_is_described_before_it_is_decoded() -> None:
    """Msgspec crashes if two threads meet a struct for the first time, so `util.decode` describes it before."""
    plain = {"config/read_toml.py", "images/dockerfile_syntax.py", "ports/service_host.py", "rehearsal/listening.py"}
    decodes = re.compile(r"msgspec\.(json\.decode|json\.Decoder|msgpack\.decode|convert)")
    bare = {
        path.relative_to(PACKAGE).as_posix()
        for path in SOURCES
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and decodes.fullmatch(ast.unparse(node.func))
        and "described(" not in ast.unparse(node)
    }
    assert bare == plain | {"util/decode.py"}


def test_values_are_replaced_in_one_way() -> None:
    """Most values are structs, which another `replace` does not take. Some values of tests are none."""
    free = {"tests/verification/test_release.py", "tests/verification/test_signers.py"}
    for path in _kept():
        text = path.read_text("utf-8") if path.suffix == ".py" and path != Path(__file__) else ""
        other = re.search(r"^ *from dataclasses import .*\breplace\b|\bdataclasses\.replace\(", text, re.MULTILINE)
        assert not other or path.relative_to(ROOT).as_posix() in free | {"src/unmoor/util/values.py"}, path


def test_every_text_file_has_an_encoding() -> None:
    """Nothing is read or written in the encoding of the locale, which is another one on each machine."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / "src").rglob("*.py")
        for node in nodes(path)
        if isinstance(node, ast.Call) and _is_text_without_encoding(node)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("path.read_text()", True),
        ("path.read_text(errors='replace')", True),
        ("path.read_text('utf-8')", False),
        ("path.read_text(encoding='utf-8')", False),
        ("path.write_text(text)", True),
        ("path.write_text(text, 'utf-8')", False),
        ("open(path)", True),
        ("open(path, 'w')", True),
        ("open(path, 'wb')", False),
        ("open(path, encoding='utf-8')", False),
        ("os.fdopen(handle, 'a')", True),
        ("os.fdopen(handle, 'rb')", False),
        ("path.open('w', encoding='utf-8')", False),
        ("path.open('r')", True),
        ("archive.open(member)", False),
        ("os.open(path, flags)", False),
    ],
)
def test_the_rule_of_encodings_itself(call: str, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    """A mode with "b" needs none, and what is no file of text is left alone."""
    (node,) = (each for each in ast.walk(ast.parse(call)) if isinstance(each, ast.Call))
    assert _is_text_without_encoding(node) is expected


def _is_text_without_encoding(call: ast.Call) -> bool:
    """Whether a call opens, reads or writes a file of text in the encoding of the locale."""
    if any(each.arg == "encoding" for each in call.keywords):
        return False
    match call.func:
        case ast.Attribute(attr="read_text"):
            return not call.args
        case ast.Attribute(attr="write_text"):
            return len(call.args) < len(("text", "encoding"))
        case ast.Name(id="open") | ast.Attribute(value=ast.Name(id="os"), attr="fdopen"):
            mode = call.args[1] if len(call.args) > 1 else ast.Constant("r")
        case ast.Attribute(attr="open") if call.args:
            mode = call.args[0]
        case _:
            return False
    text = mode.value if isinstance(mode, ast.Constant) else None
    return isinstance(text, str) and re.fullmatch(r"[rwax+t]+", text) is not None


def test_a_function_fits_on_a_screen() -> None:
    """No function is longer than the limit."""
    lines = {
        f"{path.relative_to(ROOT)}:{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path in SOURCES
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: count for name, count in lines.items() if count > FUNCTION_LINES} == {}


def test_a_long_module_says_why() -> None:
    """A module over the limit gives the reason in its docstring."""
    for path in SOURCES:
        text = path.read_text("utf-8")
        if path.name != "_version.py" and len(text.splitlines()) > MODULE_LINES:
            assert "This module is long because" in (ast.get_docstring(syntax(path)) or ""), path


def test_only_the_factory_of_a_stage_sees_the_run() -> None:
    """Only the classmethod `of` of a stage uses the request and the services. The rest of the stage uses its fields."""
    for path in STAGES:
        module = syntax(path)
        factories = [
            item
            for node in module.body
            if isinstance(node, ast.ClassDef)
            for item in node.body
            if isinstance(item, ast.FunctionDef) and item.name == "of"
            if [ast.unparse(each) for each in item.decorator_list] == ["classmethod"]
        ]
        assert factories, path
        inside = {id(node) for factory in factories for node in ast.walk(factory)}
        outside = [
            node.lineno
            for node in nodes(path)
            if isinstance(node, ast.Name) and node.id in {"ReleaseRequest", "Services"} and id(node) not in inside
        ]
        assert outside == [], path


def test_a_stage_is_named_after_its_file() -> None:
    """The name of a stage in a journal or a log leads to its file."""
    for path in STAGES:
        stages = [
            node
            for node in syntax(path).body
            if isinstance(node, ast.ClassDef)
            and {ast.unparse(base).partition("[")[0] for base in node.bases} & STAGE_KINDS
        ]
        names = [
            ast.literal_eval(item.value)
            for stage in stages
            for item in stage.body
            if isinstance(item, ast.AnnAssign) and ast.unparse(item.target) == "name" and item.value is not None
        ]
        assert names == [path.stem.replace("_", "-")], path


def test_no_two_classes_share_a_name() -> None:
    """Two public classes have different names. The local world is exempt, because it shares no code with the rest."""
    found: dict[str, list[str]] = {}
    for path in SOURCES:
        if not path.is_relative_to(PACKAGE / "rehearsal"):
            for node in syntax(path).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found.setdefault(node.name, []).append(path.relative_to(PACKAGE).as_posix())
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}


def test_the_top_holds_only_what_everybody_looks_for() -> None:
    """All other modules are in a subpackage."""
    assert {path.name for path in SOURCES if path.parent == PACKAGE} - {"_version.py"} == {
        *("__init__.py", "__main__.py", "advice.py", "assembly.py", "deploy_stages.py", "errors.py"),
        *("optional_stages.py", "release_request.py"),
    }


def test_every_room_says_what_it_is_for() -> None:
    """The docstring of a package has at least two sentences, and one says where to begin."""
    for path in SOURCES:
        if path.name == "__init__.py":
            text = ast.get_docstring(syntax(path)) or ""
            assert len(re.findall(r"[.!?](?=\s|$)", text)) > 1, path
            assert re.search(r"\bBegin\s+with\s+`", text), path


def test_tests_mirror_the_package() -> None:
    """The tests of a module have the same path and name. The tests of a whole package have its name."""
    tests = ROOT / "tests"
    unknown = []
    for path in sorted(tests.rglob("test_*.py")):
        name, room = path.relative_to(tests), PACKAGE / path.relative_to(tests).parent
        if name.parts[0] in TESTS_OF_NO_ROOM or name.as_posix() in TESTS_OF_SEVERAL:
            continue
        what = path.stem.removeprefix("test_")
        if not ((room / f"{what}.py").is_file() or (room / what / "__init__.py").is_file() or room.name == what):
            unknown.append(name.as_posix())
    assert unknown == []
    assert [name for name in TESTS_OF_SEVERAL if not (tests / name).is_file()] == []
    rooms = {path.parent.relative_to(tests) for path in tests.rglob("*.py")}
    assert [
        str(room)
        for room in sorted(rooms)
        if room.parts and room.parts[0] not in TESTS_OF_NO_ROOM and not (PACKAGE / room / "__init__.py").is_file()
    ] == []


def test_the_licence_is_the_declared_one() -> None:
    """pyproject.toml and the example name the licence of the file LICENSE, which has its full text."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (project["license"], project["license-files"]) == ("Apache-2.0", ["LICENSE"])
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert (ROOT / "examples" / "lighthouse" / "LICENSE").read_text("utf-8") == text


def test_what_release_jobs_install_is_pinned() -> None:
    """Each dependency is pinned by version and hash, as `make pins` writes it, and no line names an address."""
    text = (ROOT / ".ci" / "tool-requirements.txt").read_text("utf-8")
    assert "://" not in text
    pinned = {
        canonicalize_name(name): (version, rest)
        for name, version, rest in re.findall(
            r"^([\w.-]+)==(\S+) \\\n((?:    --hash=\S+(?: \\)?\n)+)", text, re.MULTILINE
        )
    }
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    for requirement in map(Requirement, dependencies):
        if requirement.marker and not requirement.marker.evaluate({"sys_platform": "linux"}):
            continue  # the jobs and the image run Linux
        version, hashes = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", hashes), requirement
    assert text.count("==") == len(pinned)


def dry_run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Return the commands of a target. make runs lines with $(MAKE) even now, so `true` replaces the shell."""
    command = ["make", "--dry-run", "--always-make", "SHELL=true", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)


@posix
@pytest.mark.parametrize(
    "target",
    [
        "demo",
        "test",
        "test-unit",
        "test-journeys",
        "coverage",
        "test-unmeasured",
        "lint",
        "bench",
        "docs",
        "site",
        "pins",
    ],
)
def test_the_makefile_uses_what_it_defines(target: str) -> None:
    """No target uses an undefined variable, which make silently expands to nothing."""
    ran = dry_run("--warn-undefined-variables", target)
    assert ran.returncode == 0, ran.stderr
    assert "undefined variable" not in ran.stderr


@posix
@pytest.mark.parametrize("target", ["demo", "test", "coverage", "test-unmeasured", "bench"])
def test_targets_that_build_images_have_an_engine(target: str) -> None:
    """A target that releases images, or tests that, first finds or starts an engine."""
    assert "docker/engine.sh with --optional " in dry_run(target).stdout
