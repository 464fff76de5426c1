"""Release notes from fragments, written by the real towncrier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from unmoor.errors import ConfigError, Refused, UnmoorError
from unmoor.notes import fragments
from unmoor.notes.fragments import Fragments, Towncrier
from unmoor.ports import child
from unmoor.ports.shell import Shell
from unmoor.products import Release
from unmoor.util.values import replace

Files = Mapping[str, str | bytes]
Checkout = Callable[[Files], Path]

TOML = "[tool.towncrier]\n"
PYPROJECT = '[project]\nname = "demo"\n'


def configured(top: Path) -> Towncrier:
    """The configuration of a checkout that has one."""
    towncrier = fragments.read_configuration(top)
    assert towncrier is not None
    return towncrier


FOLDERS: dict[str, tuple[Files, list[str]]] = {
    "default, in the package": ({"pyproject.toml": PYPROJECT + TOML}, ["demo/newsfragments"]),
    "default, with a package": (
        {"pyproject.toml": PYPROJECT + TOML + 'package = "pkg"\npackage_dir = "src"\n'},
        ["src/pkg/newsfragments"],
    ),
    "default, without a name": ({"towncrier.toml": TOML}, ["newsfragments"]),
    "towncrier.toml before pyproject": (
        {"towncrier.toml": TOML + 'directory = "a"\n', "pyproject.toml": TOML + 'directory = "b"\n'},
        ["a"],
    ),
    "sections": (
        {"pyproject.toml": TOML + 'directory = "c"\n[[tool.towncrier.section]]\npath = "x"\nname = "X"\n'
         '[[tool.towncrier.section]]\npath = "y"\n'},
        ["c/x", "c/y"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("files", "folders"), FOLDERS.values(), ids=FOLDERS)
def test_folder_is_the_projects_own(checkout: Checkout, files: Files, folders: list[str]) -> None:
    """Fragments are searched where towncrier would search, by the checkout's configuration only."""
    top = checkout(files)
    (top.parent / "towncrier.toml").write_text(TOML + 'directory = "outside"\n')
    assert [str(folder.relative_to(top)) for folder in configured(top).folders] == folders


def test_unconfigured_project_has_no_fragments(checkout: Checkout) -> None:
    """Neither a file above the checkout nor a folder of the usual name makes a towncrier project."""
    top = checkout({"pyproject.toml": PYPROJECT, "newsfragments/1.feature.md": "A"})
    (top.parent / "towncrier.toml").write_text(TOML)
    assert fragments.read_configuration(top) is None


NAMES = {
    "12.feature.md": True, "14.feature": True, "+orphan.misc.rst": True, "12.bugfix.1.md": True,
    "fix-1.2.removal.md": True,
    "12.fetaure.md": False, "12.md": False, "+orphan.md": False, "word.fature.rst": False,
    "README.md": None, ".gitkeep": None, "CONTRIBUTING.md": None, "template.md.j2": None, "t.md": None, "notes": None,
}  # fmt: skip


def test_misnamed_fragments_are_listed(checkout: Checkout, release: Release, shell: Shell) -> None:
    """Files of a configured type are fragments, misspelt ones are misnamed, and templates and the like are neither.

    The real towncrier renders exactly the files that are listed as fragments.
    """
    top = checkout(
        {f"c/{name}": f"This is {name}." for name in NAMES}
        | {"towncrier.toml": TOML + 'directory = "c"\ntemplate = "c/t.md"\nfilename = "N.md"\n'}
        | {"c/t.md": "{% for _, each in sections[''].items() %}{{ each | list | join(' ') }} {% endfor %}"}
    )
    there = fragments.list_fragments(top, configured(top))
    assert there == Fragments(
        files=tuple(sorted(f"c/{name}" for name, kind in NAMES.items() if kind)),
        misnamed=tuple(sorted(f"c/{name}" for name, kind in NAMES.items() if kind is False)),
    )
    text = fragments.render(top, release, configured(top), shell)
    rendered = {name for name in NAMES if f"This is {name}." in text}
    assert rendered == {name for name, kind in NAMES.items() if kind}


RENDERED: dict[str, tuple[Files, str]] = {
    "md, pyproject": (
        {
            "pyproject.toml": PYPROJECT + TOML + 'filename = "CHANGELOG.md"\n',
            "demo/newsfragments/12.feature.md": "A **thing**.",
            "demo/newsfragments/+x.bugfix.md": "Mended.",
        },
        "## Features\n\n- A **thing**. (#12)\n\n## Bugfixes\n\n- Mended.",
    ),
    "md, own title and kinds": (
        {
            "towncrier.toml": TOML
            + 'filename = "N.md"\ndirectory = "c"\ntitle_format = "## [{version}] - {project_date}"\n'
            + '[[tool.towncrier.type]]\ndirectory = "added"\nname = "Added"\n',
            "c/12.added.md": "A thing.",
        },
        "### Added\n\n- A thing. (#12)",
    ),
    "md, own template with the date": (
        {
            "towncrier.toml": TOML + 'filename = "N.md"\ndirectory = "c"\ntemplate = "t.md"\n',
            "t.md": "# {{ versiondata.name }} {{ versiondata.version }}\n\nOn {{ versiondata.date }}.\n",
            "c/12.feature.md": "A thing.",
        },
        "On 2025-12-31.",
    ),
    "rst, towncrier.toml": (
        {
            "towncrier.toml": TOML + 'name = "Demo Project"\ndirectory = "c"\n',
            "c/12.feature.rst": "A :func:`thing`\nof *two* lines, see `x <https://example.org>`_.",
            "c/13.misc.rst": "Never shown.",
        },
        "## Features\n\n- A `thing` of *two* lines, see [x](https://example.org). (#12)\n\n## Misc\n\n- #13",
    ),
}


@pytest.mark.parametrize(("files", "wanted"), RENDERED.values(), ids=RENDERED)
def test_fragments_are_rendered(checkout: Checkout, release: Release, shell: Shell, files: Files, wanted: str) -> None:
    """Towncrier writes the notes. The heading with the version is dropped, and reStructuredText becomes Markdown."""
    top = checkout(files)
    assert fragments.render(top, release, configured(top), shell) == wanted


def test_project_cannot_run_code(checkout: Checkout, release: Release, shell: Shell, tmp_path: Path) -> None:
    """Modules of the checkout are never imported, neither instead of towncrier's own nor to find a name."""
    owned = f"open({str(tmp_path / 'owned')!r}, 'w')"
    names = ("click", "jinja2", "towncrier", "demo", "sitecustomize")
    top = checkout(
        {"pyproject.toml": TOML + 'package = "demo"\nfilename = "N.md"\ndirectory = "c"\n', "c/1.feature.md": "A"}
        | {f"{name}.py": owned for name in names}
    )
    assert fragments.render(top, release, configured(top), shell) == "## Features\n\n- A (#1)"
    assert not (tmp_path / "owned").exists()


def test_template_is_in_a_sandbox(checkout: Checkout, release: Release, shell: Shell) -> None:
    """A template that accesses Python's classes is refused, with jinja2's message."""
    top = checkout(
        {
            "towncrier.toml": TOML + 'directory = "c"\ntemplate = "t.rst"\n',
            "t.rst": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
            "c/1.feature": "A",
        }
    )
    with pytest.raises(Refused, match="access to attribute '__class__' of 'str' object is unsafe"):
        fragments.render(top, release, configured(top), shell)


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ 'a' * 3000000000 }}", "more than 1 GB of memory"),
        ("{% for n in range(99999) %}{{ 'a' * 99999 }}{% endfor %}", "more than 1 GB of memory"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "nested too deeply"),
        ("{% for n in range(99999) %}{% for m in range(99999) %}{% endfor %}{% endfor %}", "more than 2 s"),
    ],
    ids=["memory at once", "memory by and by", "recursion", "endless"],
)
def test_template_has_limits(
    checkout: Checkout, release: Release, shell: Shell, monkeypatch: pytest.MonkeyPatch, *, template: str, words: str
) -> None:
    """A template that needs all time or memory is refused, and takes neither."""
    if "more than 2 s" in words:
        monkeypatch.setattr(child, "SECONDS", 2.0)
    top = checkout(
        {"towncrier.toml": TOML + 'directory = "c"\ntemplate = "t.rst"\n', "t.rst": template, "c/1.feature": "A"}
    )
    with pytest.raises(Refused, match=words):
        fragments.render(top, release, configured(top), shell)


BROKEN: dict[str, tuple[Files, type[UnmoorError], str]] = {
    "no TOML": ({"towncrier.toml": "[tool"}, ConfigError, r"towncrier\.toml: this is not TOML"),
    "kinds of no shape": ({"towncrier.toml": TOML + "type = 3\n"}, ConfigError, "is invalid"),
    "a section without a path": ({"towncrier.toml": TOML + "section = [{}]\n"}, ConfigError, "is invalid"),
    "a malformed name of the changelog": (
        {"towncrier.toml": TOML + 'single_file = false\nfilename = "{version.md"\n'}, ConfigError, "is invalid"
    ),
    "folder outside": ({"towncrier.toml": TOML + 'directory = "../x"\n'}, Refused, "out of the repository"),
    "template outside": ({"towncrier.toml": TOML + 'template = "/etc/passwd"\n'}, Refused, "out of the repository"),
    "many fields": (
        {"towncrier.toml": TOML + f'single_file = false\nfilename = "{"{version}" * 9}a"\n'},
        ConfigError,
        "more than 3 fields",
    ),
    "template in a package": ({"towncrier.toml": TOML + 'template = "demo:t"\n'}, ConfigError, "is in a package"),
    "template that is not there": (
        {"towncrier.toml": TOML + 'directory = "c"\ntemplate = "t.md"\n', "c/1.misc": ""}, Refused, "does not exist"
    ),
    "odd names where towncrier is strict": (
        {"towncrier.toml": TOML + 'directory = "c"\nignore = ["x"]\n', "c/1.misc": "", "c/2.odd": ""},
        Refused,
        r"Invalid news fragment name: 2\.odd",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("files", "error", "words"), BROKEN.values(), ids=BROKEN)
def test_broken_configuration_is_refused(
    checkout: Checkout, release: Release, shell: Shell, *, files: Files, error: type[UnmoorError], words: str
) -> None:
    """Each mistake in a configuration is an error that names the file, never a traceback."""
    top = checkout(files)

    def whole() -> None:
        towncrier = configured(top)
        fragments.list_fragments(top, towncrier)
        fragments.render(top, release, towncrier, shell)

    with pytest.raises(error, match=words):
        whole()


def test_linked_fragment_is_refused(checkout: Checkout) -> None:
    """A fragment that is a link to another file of the machine is never read."""
    top = checkout({"towncrier.toml": TOML + 'directory = "c"\n', "c/2.feature.md": "A"})
    (top / "c/1.feature.md").symlink_to("/etc/passwd")
    with pytest.raises(Refused, match=r"c/1\.feature\.md: it leads out of the repository"):
        fragments.list_fragments(top, configured(top))


def test_date_is_the_commits_in_utc(checkout: Checkout, release: Release, shell: Shell) -> None:
    """The date in the notes is the commit's, in UTC, independent of the current date and time zone."""
    files, _ = RENDERED["md, own template with the date"]
    top = checkout(files)
    later = replace(release, date=release.date + 1)
    assert fragments.render(top, later, configured(top), shell) == "On 2026-01-01."
