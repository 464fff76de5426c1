"""The part ``changelog``: towncrier's table, the folder of fragments with its template, and the file they go into."""

from __future__ import annotations

import re
from typing import Final

from unmoor.notes.files import find_files
from unmoor.project.files import table
from unmoor.scaffold.draft import ProposalDraft, ScaffoldProject
from unmoor.scaffold.toml_keys import with_tables
from unmoor.util.text import list_some

FOLDER: Final = "changelog.d"
_FILE: Final = "CHANGELOG.md"
_MARK: Final = "<!-- towncrier release notes start -->"
_TEMPLATE: Final = "template.md.jinja"
_REASON: Final = "fragments become the changelog"
# Tools that keep fragments or write changelogs, by the table or the file that configures them.
_OTHER_TABLES: Final = ("scriv", "git-cliff", "semantic_release", "commitizen", "pdm-changelog", "changelog")
_OTHER_FILES: Final = (
    "cliff.toml",
    ".changie.yaml",
    ".chglog/config.yml",
    "release-please-config.json",
    "newsfragments",
)
_KINDS: Final = (
    ("breaking", "Breaking changes"),
    ("feature", "Features"),
    ("deprecation", "Deprecations"),
    ("bugfix", "Bug fixes"),
    ("doc", "Documentation"),
)
_MARKDOWN: Final = """\
{% for section in sections.values() %}
{% for kind, each in definitions.items() if kind in section %}
### {{ each.name }}

{% for text, issues in section[kind].items() %}
- {{ text }}{% if issues %} ({{ issues | join(", ") }}){% endif %}

{% endfor %}

{% endfor %}
{% else %}
No significant changes.

{% endfor %}
"""


def propose_changelog(draft: ProposalDraft, project: ScaffoldProject) -> None:
    """Propose a changelog of fragments, unless the project has a changelog of another kind.

    Raises `ConfigError` if pyproject.toml is malformed, and `Refused` if it cannot be changed.
    """
    files = draft.below(project.path)
    if files.read("towncrier.toml") is not None or table(files.pyproject, "tool", "towncrier"):
        if not _is_ours(draft, project):
            draft.note("changelog: towncrier is set up, so its table stays as it is")
        return
    others = [f"[tool.{name}]" for name in _OTHER_TABLES if name in table(files.pyproject, "tool")]
    others += [name for name in _OTHER_FILES if files.read(name) is not None]
    usual = find_files(files.names, version="1.0", names=(project.name,)).usual
    if others or usual:
        draft.note(f"changelog: {list_some([*others, *usual])} is how the project keeps it, so nothing is added")
        return
    path = project.place("pyproject.toml")
    if draft.read(path) is None:
        path = project.place("towncrier.toml")
    draft.write(path, with_tables(path, draft.read(path) or b"", _tables(project)), "sets up towncrier")
    texts = {
        f"{FOLDER}/{_TEMPLATE}": _MARKDOWN,
        f"{FOLDER}/README.md": _readme(),
        _FILE: f"# Changes\n\n{_MARK}\n",
    }
    for name, text in texts.items():
        draft.write(project.place(name), text.encode(), _REASON)


def _is_ours(draft: ProposalDraft, project: ScaffoldProject) -> bool:
    return draft.read(project.place(f"{FOLDER}/{_TEMPLATE}")) == _MARKDOWN.encode()


def _tables(project: ScaffoldProject) -> str:
    issues = f"https://github.com/{project.repository}/issues/" if project.repository else ""
    link = f'issue_format = "[#{{issue}}]({issues}{{issue}})"\n' if issues else ""
    name = re.sub(r"[^A-Za-z0-9._-]", "", project.name)
    kinds = "".join(
        f'\n[[tool.towncrier.type]]\ndirectory = "{kind}"\nname = "{title}"\nshowcontent = true\n'
        for kind, title in _KINDS
    )
    return (
        f'[tool.towncrier]\nname = "{name}"\ndirectory = "{FOLDER}"\nfilename = "{_FILE}"\n'
        f'template = "{FOLDER}/{_TEMPLATE}"\nstart_string = "{_MARK}\\n"\n'
        'title_format = "## {version} ({project_date})"\nunderlines = ["", "", ""]\nwrap = false\n'
        f'{link}ignore = ["README.md", "{_TEMPLATE}"]\n{kinds}'
    )


def _readme() -> str:
    kinds = "\n".join(f"- `{kind}`: {title.lower()}" for kind, title in _KINDS)
    return f"""\
# Changelog fragments

A change that users notice comes with a file here, named `NUMBER.KIND.md` after its issue or pull request, or
`+WORDS.KIND.md` without one. It says in a sentence or two what is different. The kinds:

{kinds}

`towncrier build --version VERSION` makes the next section of {_FILE} of them, and removes them.
"""
