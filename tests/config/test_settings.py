"""Settings: their sources, and the report of all faults at once."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from unmoor.config.config_file import ConfigFile
from unmoor.config.settings import Settings, resolve
from unmoor.config.sources import variable_of
from unmoor.errors import ConfigError


def reader(files: dict[str, bytes]) -> Callable[[str], bytes | None]:
    """Return a function that reads these files, as from a commit."""

    def read(name: str) -> bytes | None:
        return files.get(name)

    return read


def refusal(
    files: dict[str, str], environ: dict[str, str] | None = None, given: dict[str, object] | None = None
) -> str:
    """Read settings that must be refused, and return the message and its next step."""
    contents = {name: text.encode() for name, text in files.items()}
    with pytest.raises(ConfigError) as raised:
        resolve(reader(contents), environ=environ or {}, given=given or {})
    return f"{raised.value} -> {raised.value.next_step}"


def test_unconfigured_project_works() -> None:
    """Without any file, every option has its default, and the provenance says so."""
    resolved = resolve(reader({}))
    assert resolved.settings == Settings()
    assert set(resolved.provenance.values()) == {"default"}
    assert resolved.settings.testpypi == "required"
    assert (resolved.settings.test_timeout, resolved.settings.deadline, resolved.settings.verify_patience) == (
        600,
        3600,
        120,
    )


def test_foreign_pyproject_is_unconfigured() -> None:
    """A pyproject.toml without a table of unmoor sets nothing."""
    assert (
        resolve(reader({"pyproject.toml": b'[tool.ruff]\nline-length = 100\n[project]\nname = "x"'})).settings
        == Settings()
    )


@pytest.mark.parametrize(
    ("name", "header", "origin"),
    [
        ("pyproject.toml", "[tool.unmoor]", "pyproject.toml: tool.unmoor.deadline"),
        ("unmoor.toml", "", "unmoor.toml: deadline"),
    ],
)
def test_both_files_hold_the_same_keys(name: str, header: str, origin: str) -> None:
    """The top level of unmoor.toml has the same keys as the table in pyproject.toml."""
    text = f'{header}\ndeadline = 90\ntest-requires = ["pytest>=8"]\ntest-sources = ["./tests/", "a//b"]\n'
    resolved = resolve(reader({name: text.encode()}))
    assert resolved.settings == Settings(deadline=90, test_requires=("pytest>=8",), test_sources=("tests", "a/b"))
    assert resolved.provenance["deadline"] == origin
    assert resolved.provenance["testpypi"] == "default"


def test_later_sources_win() -> None:
    """The environment overrides the file, and the command line overrides both. Each value has its origin."""
    resolved = resolve(
        reader({"unmoor.toml": b"deadline = 90\ntest-timeout = 90\nverify-patience = 90"}),
        environ={"UNMOOR_TEST_TIMEOUT": "91", "UNMOOR_VERIFY_PATIENCE": "91", "UNMOOR_TESTPYPI": ""},
        given={"verify-patience": 92},
    )
    settings, provenance = resolved.settings, resolved.provenance
    assert (settings.deadline, settings.test_timeout, settings.verify_patience) == (90, 91, 92)
    assert provenance["deadline"] == "unmoor.toml: deadline"
    assert provenance["test-timeout"] == "environment: UNMOOR_TEST_TIMEOUT"
    assert provenance["verify-patience"] == "command line"
    assert provenance["testpypi"] == "default"


def test_lists_in_the_environment_have_one_item_a_line() -> None:
    """Newlines separate the items, because a requirement may contain commas, spaces and semicolons."""
    environ = {"UNMOOR_TEST_REQUIRES": 'pytest>=8,<9\n\n  tomli; python_version < "3.11"\n'}
    assert resolve(reader({}), environ=environ).settings.test_requires == (
        "pytest>=8,<9",
        'tomli; python_version < "3.11"',
    )


def test_tables_in_the_environment_have_one_key_a_line() -> None:
    """The first equals sign ends the key, because a marker contains others; commas separate the items of a list."""
    environ = {
        "UNMOOR_IMPORT_EXTRAS": "blackd = d, jupyter\npkg.gui=gui\n",
        "UNMOOR_IMPORT_MARKERS": "pkg_win = sys_platform == 'win32'",
    }
    settings = resolve(reader({}), environ=environ).settings
    assert settings.import_extras == {"blackd": ("d", "jupyter"), "pkg.gui": ("gui",)}
    assert settings.import_markers == {"pkg_win": "sys_platform == 'win32'"}
    assert refusal({}, {"UNMOOR_IMPORT_EXTRAS": "blackd"}) == (
        'the environment: UNMOOR_IMPORT_EXTRAS: expected lines of KEY = VALUE, got "blackd" -> correct the environment'
    )


def test_every_option_can_be_set_by_its_variable() -> None:
    """The name of the variable is derived from the name of the option."""
    assert [variable_of(field.encode_name) for field in msgspec.structs.fields(Settings)][:6] == [
        "UNMOOR_PROJECT",
        "UNMOOR_PATH",
        "UNMOOR_REPOSITORY",
        "UNMOOR_TAG_PREFIX",
        "UNMOOR_SIGNED_TAGS",
        "UNMOOR_ALLOWED_SIGNERS",
    ]


KNOWN = "known keys: " + ", ".join(field.encode_name for field in msgspec.structs.fields(Settings))
PATH = "expected a relative path inside the project, without .."


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("deadlin = 100", 'deadlin: there is no such key; did you mean "deadline"?'),
        ('test_command = "x"', 'test_command: there is no such key; did you mean "test-command"?'),
        (
            "zzz = 1",
            f"zzz: there is no such key; {KNOWN}",
        ),
        (
            '"a\\u0007b" = 1',
            f"a b: there is no such key; {KNOWN}",
        ),
        ('deadline = "1h"', 'deadline: expected a whole number from 10 to 86400, got "1h"'),
        ("deadline = 3", "deadline: expected a whole number from 10 to 86400, got the number 3"),
        ("deadline = true", "deadline: expected a whole number from 10 to 86400, got true"),
        ("deadline = 1.5", "deadline: expected a whole number from 10 to 86400, got the number 1.5"),
        ("deadline = nan", "deadline: expected a whole number from 10 to 86400, got the number nan"),
        ("deadline = 2020-01-01", "deadline: expected a whole number from 10 to 86400, got a date or time"),
        ("deadline = {a = 1}", "deadline: expected a whole number from 10 to 86400, got a table"),
        (
            'testpypi = "requird"',
            'testpypi: expected "required", "advisory" or "off", got "requird"; did you mean "required"?',
        ),
        ("testpypi = false", 'testpypi: expected "required", "advisory" or "off", got false'),
        ("empty-notes = []", 'empty-notes: expected "refuse" or "allow", got a list'),
        ('project = "-x"', 'project: expected a project name: letters, digits, and . _ - between them, got "-x"'),
        ('project = "x\\n"', 'project: expected a project name: letters, digits, and . _ - between them, got "x"'),
        ('repository = "one"', 'repository: expected owner/name, got "one"'),
        ('repository = "a/.."', 'repository: expected owner/name, got "a/.."'),
        ('repository = "a/b/c"', 'repository: expected owner/name, got "a/b/c"'),
        ('changelog = "/etc/passwd"', f'changelog: {PATH}, got "/etc/passwd"'),
        ('changelog = "docs/../../x"', f'changelog: {PATH}, got "docs/../../x"'),
        ('changelog = ".."', f'changelog: {PATH}, got ".."'),
        ('changelog = "C:\\\\x"', f'changelog: {PATH}, got "C:\\x"'),
        ('changelog = "."', "changelog: expected a path inside the project, got the project's folder itself"),
        ('test-sources = ["tests", "../x"]', f'test-sources: item 2: {PATH}, got "../x"'),
        (
            'test-sources = "tests"',
            f'test-sources: expected a list, each item {PATH.removeprefix("expected ")}, got "tests"',
        ),
        ("test-requires = [1]", "test-requires: item 1: expected text, got the number 1"),
        *(
            (
                f'build-constraints = ["{wrong}"]',
                "build-constraints: item 1: expected a name with version specifiers, such as setuptools<80",
            )
            for wrong in ("a[x]<8", "a @ file:///x", "a<8\\n-r b", "a<8\\n")
        ),
        ('test-requires = ["a b"]', "test-requires: item 1: expected a requirement (PEP 508) such as pytest>=8"),
        ('test-extras = ["-"]', 'test-extras: item 1: expected the name of an extra, got "-"'),
        ('import-extras = ["d"]', "import-extras: expected a table of modules, each with a list of extras, got a list"),
        ('import-extras = {x = "d"}', 'import-extras: x: expected a list, each item the name of an extra, got "d"'),
        ("import-extras = {x = []}", "import-extras: x: expected at least 1 item; to leave a module out: import-skip"),
        ('import-extras = {x = ["-"]}', 'import-extras: x: item 1: expected the name of an extra, got "-"'),
        (
            "import-markers = {x = 'windows'}",
            "import-markers: expected an environment marker (PEP 508) for x, such as sys_platform == 'win32'",
        ),
        (
            "import-markers = {x = \"os_name ~= 'nt'\"}",
            "import-markers: expected an environment marker (PEP 508) for x, such as sys_platform == 'win32'",
        ),
        (
            'import-skip = ["x y"]',
            (
                "import-skip: item 1: expected a module, such as pkg.server, or module:attribute of an entry point,"
                ' got "x y"'
            ),
        ),
        ('test-command = "a \'b"', "test-command: cannot split this into arguments: No closing quotation"),
        ('test-command = "  "', "test-command: expected a command, got only spaces"),
        ('test-command = "a\\nb"', 'test-command: expected a command on one line, got "a b"'),
        ('scan = "off"', 'scan: expected a table, got "off"'),
        (
            'scan = { secrets = "of" }',
            'scan.secrets: expected "required", "advisory" or "off", got "of"; did you mean "off"?',
        ),
        (
            'scan = { ignore = [{ id = "CVE-1", until = 2027-01-31 }] }',
            "scan.ignore.1.reason: missing: expected a reason, on one line",
        ),
        (
            'scan = { ignore = [{ id = "CVE-1", reason = "known" }] }',
            "scan.ignore.1.until: missing: expected a date such as 2027-01-31",
        ),
        (
            'scan = { ignore = [{ id = "CVE-1", reason = " ", until = 2027-01-31 }] }',
            'scan.ignore.1.reason: expected a reason, on one line, got ""',
        ),
        (
            'scan = { ignore = [{ id = "CVE-1", reason = "known", until = 2027 }] }',
            "scan.ignore.1.until: expected a date such as 2027-01-31, got the number 2027",
        ),
        ('scan = { ignore = ["CVE-1"] }', "scan.ignore: expected tables, [[ignore]], got a list"),
    ],
)
def test_each_fault_has_its_message(line: str, message: str) -> None:
    """The message for a wrong key or value has the file, the line, and the expected and the given value."""
    assert (
        refusal({"unmoor.toml": f"# settings\n\n{line}\n"}) == f"unmoor.toml, line 3: {message} -> correct unmoor.toml"
    )


def test_all_faults_are_reported_at_once() -> None:
    """One error lists every fault in the order of the lines. A multi-line value counts by its first line."""
    text = '[project]\nname = "x"\n[tool.unmoor]\ndeadlin = 100\ntest-sources = [\n  "../a",\n]\ntestpypi = 1\n'
    assert refusal({"pyproject.toml": text}) == (
        "pyproject.toml: 3 faults\n"
        '  line 4: tool.unmoor.deadlin: there is no such key; did you mean "deadline"?\n'
        f'  line 5: tool.unmoor.test-sources: item 1: {PATH}, got "../a"\n'
        '  line 8: tool.unmoor.testpypi: expected "required", "advisory" or "off", got the number 1'
        " -> correct pyproject.toml"
    )


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"unmoor.toml": "deadline = \n"},
            "unmoor.toml, line 1, column 12: this is not TOML: Invalid value -> correct unmoor.toml",
        ),
        (
            {"pyproject.toml": '[project]\nname = "x\n'},
            "pyproject.toml, line 2, column 10: this is not TOML: Illegal character '\\n' -> correct pyproject.toml",
        ),
        (
            {"pyproject.toml": "[tool.unmor]\ndeadline = 100\n"},
            (
                'pyproject.toml, line 1: tool.unmor: there is no such table; did you mean "tool.unmoor"?'
                " -> correct pyproject.toml"
            ),
        ),
        (
            {"pyproject.toml": "[tool.unmoor]\n", "unmoor.toml": ""},
            "unmoor.toml: settings are both here and in [tool.unmoor] of pyproject.toml -> keep one of the two",
        ),
        (
            {"pyproject.toml": "[tool]\nunmoor = 1\n"},
            "pyproject.toml, line 2: tool.unmoor: expected a table -> correct pyproject.toml",
        ),
    ],
)
def test_invalid_files(files: dict[str, str], message: str) -> None:
    """The error for a malformed file, a misspelled table or settings in two files says where it is."""
    assert refusal(files) == message


def test_text_that_is_not_utf8() -> None:
    """The error for bytes that are not text has their line."""
    with pytest.raises(ConfigError, match=r"^unmoor.toml, line 2: this line is not UTF-8 text$"):
        resolve(reader({"unmoor.toml": b'project = "a"\n# \xff\n'}))


@pytest.mark.parametrize("data", [b"a = " + b"[" * 100_000, b"#" * 1_000_001])
def test_hostile_files_are_refused(data: bytes) -> None:
    """Refuses files that are nested too deeply or too long."""
    with pytest.raises(ConfigError):
        resolve(reader({"unmoor.toml": data}))


@pytest.mark.parametrize(
    ("variable", "meant"),
    [("UNMOOR_SIGNED_TAG", "UNMOOR_SIGNED_TAGS"), ("UNMOOR_TEST_COMAND", "UNMOOR_TEST_COMMAND")],
)
def test_a_misspelled_variable_is_refused(variable: str, meant: str) -> None:
    """A misspelled variable would otherwise be ignored silently."""
    message = refusal({}, environ={variable: "true"})
    assert message == (
        f'the environment: {variable}: there is no such setting; did you mean "{meant}"? -> correct the environment'
    )


@pytest.mark.parametrize(
    "variable", ["UNMOOR_TESTPYPI_PASSWORD", "UNMOOR_REGISTRY_DOCKER_IO_USERNAME", "UNMOOR_PROGRESS", "UNMOOR_MY_TOKEN"]
)
def test_other_variables_with_the_prefix_are_ignored(variable: str) -> None:
    """Credentials, the progress mode, and variables that a world file refers to are not settings."""
    assert resolve(reader({}), environ={variable: "x"}).settings == resolve(reader({}), environ={}).settings


def test_faults_outside_of_files() -> None:
    """The environment and the command line are checked against the same declarations."""
    assert refusal({}, environ={"UNMOOR_DEADLINE": "soon", "UNMOOR_TESTPYPI": "of"}) == (
        "the environment: 2 faults\n"
        '  UNMOOR_TESTPYPI: expected "required", "advisory" or "off", got "of"; did you mean "off"?\n'
        '  UNMOOR_DEADLINE: expected a whole number from 10 to 86400, got "soon"'
        " -> correct the environment"
    )
    assert refusal({}, given={"dedline": 1}) == (
        'the command line: dedline: there is no such key; did you mean "deadline"? -> correct the command line'
    )


def test_the_origin_of_a_file_has_the_line_ends_of_the_commit() -> None:
    """A checkout on Windows, where git writes other line ends, gives the same name and digest."""
    unix = ConfigFile(name="other.toml", data=b"a = 1\nb = 2\n")
    assert ConfigFile(name="other.toml", data=b"a = 1\r\nb = 2\r\n").origin == unix.origin
    assert ConfigFile(name="other.toml", data=b"a = 1\nb = 3\n").origin != unix.origin


def test_a_file_goes_in_place_of_the_commits_own() -> None:
    """A given file replaces all settings of the commit. The environment overrides it, and faults name it."""
    own = reader({"pyproject.toml": b"[tool.unmoor]\ndeadline = 100\n", "unmoor.toml": b"broken"})
    given = ConfigFile(name="other.toml", data=b"max-file-size = 7\nverify-patience = 1\n")
    resolved = resolve(own, config=given, environ={"UNMOOR_VERIFY_PATIENCE": "2"})
    assert (resolved.settings.deadline, resolved.settings.max_file_size, resolved.settings.verify_patience) == (
        *(3600, 7),
        2,
    )
    assert resolved.provenance["max-file-size"] == "other.toml: max-file-size"
    project = ConfigFile(name="pyproject.toml", data=b"[project]\nname = 'x'\n[tool.unmoor]\ndeadline = 11\n")
    assert resolve(own, config=project).settings.deadline == 11
    with pytest.raises(ConfigError) as caught:
        resolve(own, config=ConfigFile(name="other.toml", data=b"\ndeadlin = 7\n"))
    assert "other.toml" in caught.value.where
