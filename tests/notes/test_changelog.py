"""Sections of changelogs, in the formats that projects use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from unmoor.errors import ConfigError, Refused
from unmoor.notes import changelog, fragments
from unmoor.notes.reading import ignore_warning
from unmoor.ports.shell import Shell
from unmoor.products import Release

Checkout = Callable[[Mapping[str, str | bytes]], Path]

KEEP = """\
    # Changelog

    All notable changes. See [Keep a Changelog].

    ## [Unreleased]

    ## [1.2.0] - 2026-01-01

    ### Added

    - A thing ([#12], [the docs][Docs]).

      ```md
      ## [1.1.0] is no heading here
      ```

    ### Fixed

    - Another [#12].

    ## [1.1.0] - 2025-01-01

    - Old [#1].

    [Keep a Changelog]: https://example.org/keep
    [unreleased]: https://example.org/compare/v1.2.0...HEAD
    [1.2.0]: https://example.org/compare/v1.1.0...v1.2.0
    [#1]: https://example.org/1
    [#12]: https://example.org/12
    [docs]: <https://example.org/docs> "The docs"
    """

MARKDOWN = {
    "keep a changelog": (
        "CHANGELOG.md",
        KEEP,
        """\
        ### Added

        - A thing ([#12], [the docs][Docs]).

          ```md
          ## [1.1.0] is no heading here
          ```

        ### Fixed

        - Another [#12].

        [#12]: https://example.org/12
        [docs]: <https://example.org/docs> "The docs"
        """,
    ),
    "towncrier's default": (
        "NEWS.md",
        "<!-- towncrier start -->\n\n# demo 1.2.0 (2026-01-01)\n\n## Features\n\n- A (#1)\n\n\n# demo 1.1\n",
        "## Features\n\n- A (#1)",
    ),
    "setext": ("HISTORY.md", "History\n=======\n\n1.2.0 (2026)\n---\n\n* A\n\n1.1.0\n-----\n\n* B\n", "* A"),
    "links in headings": (
        "changes.md",
        "## [v1.2.0](https://example.org/v1.1.0...v1.2.0) (2026-01-01)\n\n* A\n\n## [v1.1.0](https://example.org)\n",
        "* A",
    ),
    "code and emphasis in headings": ("CHANGELOG.md", "## **Version** `1.2.0`\n\n* A\n\n## `1.1.0`\n", "* A"),
    "an anchor before the number": ("CHANGELOG.md", '## <a name="1.1"></a> 1.2.0\n\nA\n\n## 1.1\n', "A"),
    "generated, patch releases below": ("CHANGELOG.md", "# [1.2.0](x) (2026)\n\nA\n\n## [1.1.9](y) (2025)\n\nB\n", "A"),
    "no suffix": ("CHANGES", "# Changes\n\n## 1.2.0\n\n- A\n\n## 1.1.0\n", "- A"),
    "in docs": ("docs/changelog.md", "## 1.2.0\n\n- A\n", "- A"),
    "the version in short": ("RELEASES.md", "## 1.2 (January 2026)\n\n- A\n\n## 1.1\n\n- B\n", "- A"),
    "Windows' line ends": ("CHANGELOG.md", "## 1.2.0\r\n\r\n- A\r\n- B\r\n\r\n## 1.1\r\n", "- A\n- B"),
    "a mark at the beginning": ("CHANGELOG.md", "\ufeff## 1.2.0\n\n- A\n", "- A"),
    "colours and bells": ("CHANGELOG.md", "## 1.2.0\n\n- \x1b[31mA\x1b[0m\x07 \x1b]0;title\x07B\x9b\n", "- A B"),
    "nothing in it": ("CHANGELOG.md", "## 1.2.0\n\n## 1.1.0\n\n- B\n", ""),
}


def search(top: Path, release: Release, shell: Shell, setting: str = "") -> changelog.ChangelogMatch:
    """Search for the section as `notes_for` does."""
    return changelog.find_section(
        top,
        release,
        files=files_in(top),
        setting=setting,
        towncrier=fragments.read_configuration(top),
        shell=shell,
        warn=ignore_warning,
    )


def files_in(top: Path) -> list[str]:
    """The files of a folder as git would list them."""
    return sorted(path.relative_to(top).as_posix() for path in top.rglob("*") if not path.is_dir())


@pytest.mark.parametrize(("name", "text", "wanted"), MARKDOWN.values(), ids=MARKDOWN)
def test_markdown_section(
    checkout: Checkout, release: Release, shell: Shell, *, name: str, text: str, wanted: str
) -> None:
    """The section is found in every usual format of Markdown, and copied unchanged."""
    match = search(checkout({name: dedent(text)}), release, shell)
    assert match.section == changelog.Section(text=dedent(wanted).strip("\n"), file=name)


RST = """\
=========
Changelog
=========

.. towncrier release notes start

demo 1.2.0 (2026-01-01)
=======================

Features
--------

- Added :func:`demo.run` and :class:`~demo.thing.Thing`; see :ref:`the guide <guide>`
  (`#12`_, :issue:`13`), thanks to |someone|. List<int> stays, *so* does ``code <x>``.

  .. code-block:: python
     :emphasize-lines: 1

     run("```")

- Nested:

  1. one
  2. two

.. versionadded:: 1.2
   For **all**.

.. note:: Mind this.

.. some-extension:: Argument
   :option: value

   Its text.

.. include:: /etc/passwd
.. raw:: html

   <script>alert(1)</script>

.. csv-table:: Passwords
   :file: /etc/passwd

Dropped Python 3.9
~~~~~~~~~~~~~~~~~~

===== =====
Name  Value
===== =====
a|b   *c*
===== =====

See undefined_ and Features_ [1]_.

.. [1] A footnote.

----

demo 1.1.0 (2025-01-01)
=======================

- Old.

.. _#12: https://example.org/12
.. _#11: https://example.org/11
.. |someone| replace:: Some One
"""

RST_WANTED = """\
## Features

- Added `demo.run` and `Thing`; see the guide ([#12](https://example.org/12), #13), thanks to Some One. \
List\\<int> stays, *so* does `code <x>`.

  ````python
  run("```")
  ````
- Nested:

  1. one
  2. two

*Added in version 1.2*: For **all**.

> **Note**
>
> Mind this.

Argument

Its text.

### Dropped Python 3.9

| Name | Value |
| --- | --- |
| a\\|b | *c* |

See undefined\\_ and Features \\[1\\].

\\[1\\] A footnote."""


def test_restructuredtext_section(checkout: Checkout, release: Release, shell: Shell) -> None:
    """A section with Sphinx roles and directives becomes Markdown. No other file is read, and no HTML is kept."""
    match = search(checkout({"CHANGES.rst": RST}), release, shell)
    assert match.section == changelog.Section(text=RST_WANTED, file="CHANGES.rst")


def test_plain_text_is_read_as_restructuredtext(checkout: Checkout, release: Release, shell: Shell) -> None:
    """A text file with underlined versions is converted, including nested lists."""
    text = "1.2.0 (2026-01-01)\n++++++++++++++++++\n\n * A\n * B :func:`c`\n\n1.1.0\n++++++\n\n * C\n"
    match = search(checkout({"CHANGES.txt": text}), release, shell)
    assert match.section is not None
    assert match.section.text.replace("> ", "") == "- A\n- B `c`"


def test_malformed_restructuredtext_keeps_its_text(checkout: Checkout, release: Release, shell: Shell) -> None:
    """Markup that docutils reports as an error keeps its text."""
    text = "1.2.0\n=====\n\nA `b and |c| and :py:meth:`d.e`.\n\n.. image:: x.png\n   :wrong: yes\n\n  * odd\n - list\n"
    match = search(checkout({"CHANGES.rst": text}), release, shell)
    assert match.section is not None
    for words in ("A ", "b and", "d.e", "x.png", "odd", "list"):
        assert words in match.section.text


def test_no_section_names_the_files(checkout: Checkout, release: Release, shell: Shell) -> None:
    """If no file has the section, every searched file is listed, the most likely first."""
    files = {"HISTORY.md": "## 1.1\n", "CHANGELOG.md": "## 1.1\n", "docs/news.md": "# News\n"}
    match = search(checkout(files), release, shell)
    assert match == changelog.ChangelogMatch(section=None, files=("CHANGELOG.md", "HISTORY.md", "docs/news.md"))


def test_second_file_may_have_it(checkout: Checkout, release: Release, shell: Shell) -> None:
    """A file without the section does not hide one that has it."""
    match = search(checkout({"CHANGELOG.md": "See HISTORY.md\n", "HISTORY.md": "## 1.2.0\nA\n"}), release, shell)
    assert match.section == changelog.Section(text="A", file="HISTORY.md")


def test_towncriers_file_comes_first(checkout: Checkout, release: Release, shell: Shell) -> None:
    """The file that towncrier writes is searched before files with the usual names."""
    files = {
        "towncrier.toml": '[tool.towncrier]\nfilename = "doc/en/log.md"\n',
        "doc/en/log.md": "## 1.2.0\nA\n",
        "CHANGELOG.md": "## 1.2.0\nB\n",
    }
    assert search(checkout(files), release, shell).section == changelog.Section(text="A", file="doc/en/log.md")


@pytest.mark.parametrize("text", ["# 1.2.0\n\nA\n", "A\n"], ids=["with a heading", "without"])
def test_a_file_for_every_version(checkout: Checkout, release: Release, shell: Shell, text: str) -> None:
    """With towncrier's ``single_file = false``, the version's own file is the section."""
    config = '[tool.towncrier]\nsingle_file = false\nfilename = "docs/{version}-notes.md"\n'
    top = checkout({"towncrier.toml": config, "docs/1.2.10-notes.md": "B\n", "docs/1.2-notes.md": text})
    assert search(top, release, shell).section == changelog.Section(text="A", file="docs/1.2-notes.md")


def test_configured_file_is_the_only_one(checkout: Checkout, release: Release, shell: Shell) -> None:
    """If the settings name a file, no other is searched."""
    top = checkout({"CHANGELOG.md": "## 1.2.0\nA\n", "log/mine.md": "## 1.2.0\nB\n"})
    assert search(top, release, shell, "log/mine.md").section == changelog.Section(text="B", file="log/mine.md")
    with pytest.raises(ConfigError, match=r"there is no file 'other\.md'"):
        search(top, release, shell, "other.md")


@pytest.mark.parametrize("setting", ["../secret.md", "/etc/passwd", ".git/config", "link.md"])
def test_configured_file_stays_inside(checkout: Checkout, release: Release, shell: Shell, setting: str) -> None:
    """Neither settings nor links lead out of the checkout."""
    top = checkout({".git/config": "## 1.2.0\n"})
    (top / "link.md").symlink_to("/etc/passwd")
    with pytest.raises(Refused, match="it leads out of the repository"):
        search(top, release, shell, setting)


def test_link_within_the_checkout_is_followed(checkout: Checkout, release: Release, shell: Shell) -> None:
    """A changelog may be a link to the documentation's."""
    top = checkout({"docs/source/log.md": "## 1.2.0\nA\n"})
    (top / "CHANGELOG.md").symlink_to("docs/source/log.md")
    assert search(top, release, shell).section == changelog.Section(text="A", file="CHANGELOG.md")


def test_unreadable_text_is_refused(checkout: Checkout, release: Release, shell: Shell) -> None:
    """A null byte and more than 10 MB are refused. Other encodings are read with a warning."""
    top = checkout({"CHANGELOG.md": b"## 1.2.0\n\0", "big.md": b"x" * 10_000_001, "old.md": b"## 1.2.0\ncaf\xe9\n"})
    with pytest.raises(Refused, match="null byte"):
        search(top, release, shell)
    with pytest.raises(Refused, match="larger than 10 MB"):
        search(top, release, shell, "big.md")
    warnings: list[str] = []
    match = changelog.find_section(
        top, release, files=[], setting="old.md", towncrier=None, shell=shell, warn=warnings.append
    )
    assert match.section == changelog.Section(text="caf\N{REPLACEMENT CHARACTER}", file="old.md")
    assert warnings == ["old.md is not UTF-8: unreadable characters are replaced"]


def test_deep_nesting_is_refused(checkout: Checkout, release: Release, shell: Shell) -> None:
    """Lists nested a thousand deep result in an error about docutils, not in a traceback."""
    deep = "\n\n".join(" " * (2 * depth) + "- x" for depth in range(1000))
    with pytest.raises(Refused, match="docutils cannot read this section: it is nested too deeply"):
        search(checkout({"CHANGES.rst": f"1.2.0\n=====\n\n{deep}\n"}), release, shell)


@pytest.mark.journey
@pytest.mark.timeout(40)
@pytest.mark.parametrize("name", ["CHANGELOG.md", "CHANGELOG.rst"])
def test_five_megabytes_take_seconds(checkout: Checkout, release: Release, shell: Shell, name: str) -> None:
    """A changelog of 5 MB is read in seconds."""
    rule = "=" * 20 if name.endswith("rst") else "---"
    old = "".join(f"1.1.{n}\n{rule}\n\n- changed *x* [#{n}]\n- and {'y ' * 50}\n\n" for n in range(36_000))
    match = search(checkout({name: f"1.2.0\n{rule}\n\n- new\n\n{old}"}), release, shell)
    assert match.section == changelog.Section(text="- new", file=name)
