"""The program ``python -m unmoor.notes.convert FILE``: reStructuredText in, Markdown on standard output.

It runs in a process of its own (see ``rst``), with nothing of the project's on its path. docutils parses,
with inclusion of files and raw text off and no configuration file read; Sphinx's roles and directives,
which docutils does not know, fall back to their text. docutils writes HTML, and markdownify, which knows
HTML well, turns that into Markdown: no writer for Markdown that is maintained was found for docutils.

Uses internals, so pyproject.toml excludes the next major versions: docutils' tables of roles and directives
(``languages.en``), its settings and the HTML of its writer; markdownify's ``escape`` and ``process_text``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from docutils import nodes, utils
from docutils.core import publish_doctree, publish_from_doctree
from docutils.parsers.rst import Directive, directives, roles
from docutils.parsers.rst.languages import en
from docutils.parsers.rst.states import Inliner
from docutils.writers.html5_polyglot import Writer
from markdownify import MarkdownConverter

from unmoor.notes.markdown import escape
from unmoor.notes.reading import word_set

_SETTINGS: dict[str, Any] = {
    "_disable_config": True,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "doctitle_xform": False,
    "sectsubtitle_xform": False,
    "embed_stylesheet": False,
    "stylesheet_path": "",
    "halt_level": 5,
    "report_level": 5,
    "warning_stream": False,
    "line_length_limit": 20_000_000,
    "syntax_highlight": "none",
    "math_output": "LaTeX",
    "toc_backlinks": False,
    "footnote_references": "brackets",
    "input_encoding": "unicode",
    "output_encoding": "unicode",
    "initial_header_level": "2",
}
_ROLE = re.compile(r":([A-Za-z][\w.+:-]*):`|`:([A-Za-z][\w.+:-]*):")
_DIRECTIVE = re.compile(r"^[ \t>*+-]*\.\. (?:\|[^|]+\| )?([A-Za-z][\w.+:-]*)::", re.MULTILINE)
_TITLED = re.compile(r"^(?P<text>.*?)\s*<(?P<target>[^<>]*)>$", re.DOTALL)

# Directives that say something to Sphinx and nothing to a reader.
_IGNORED = word_set(
    "toctree index module currentmodule highlight default-domain literalinclude include raw tabularcolumns "
    "testsetup testcleanup contents sectnum meta automodule autoclass autofunction autosummary rst-class class "
    "cssclass"
)
_CODE = word_set(
    "code code-block sourcecode testcode doctest ipython prompt console parsed-literal productionlist graphviz"
)
_VERSION_LABELS = {
    "versionadded": "Added in version",
    "versionchanged": "Changed in version",
    "deprecated": "Deprecated since version",
    "versionremoved": "Removed in version",
}
# Roles whose text is a name in code.
_CODE_ROLES = word_set(
    "class func meth attr mod data exc obj const any member type macro struct enum var command option envvar "
    "program file samp kbd makevar regexp setting confval fixture ticket-code"
)
# Roles whose text is the number of an issue or a pull request.
_NUMBER_ROLES = word_set("issue pr pull gh ghissue ghpull merge bug ticket pull-request")


def main(path: str) -> None:
    """Convert a file and write Markdown to standard output."""
    sys.stdout.write(convert(Path(path).read_text(encoding="utf-8")))


def convert(source: str) -> str:
    """Convert reStructuredText to Markdown. Changes docutils' tables: call it in a process of its own."""
    _register_fallbacks(source)
    tree = publish_doctree(source, settings_overrides=_SETTINGS)
    _simplify(tree)
    html = publish_from_doctree(tree, writer=Writer(), settings_overrides=_SETTINGS)
    body = html.partition("<main")[2] or html.partition("<body")[2]
    writer = _Writer(heading_style="ATX", bullets="-", code_language_callback=_language)
    made = str(writer.convert("<main" + body)).strip()
    # A rule between versions, left over at the end of the section.
    return re.sub(r"(?:\s*\n---)+$", "", made) + "\n"


def _register_fallbacks(source: str) -> None:
    """Give a fallback to every role and directive of the text that docutils does not know, or knows too strictly."""
    for first, second in _ROLE.findall(source):
        name = (first or second).lower()
        if name not in en.roles:
            roles.register_local_role(name, _role)
    for name in {match.lower() for match in _DIRECTIVE.findall(source)}:
        if name in _IGNORED:
            directives.register_directive(name, _Ignored)
        elif name in _CODE:
            directives.register_directive(name, _Code)
        elif name not in en.directives:
            directives.register_directive(name, _Fallback)


def _role(
    name: str,
    rawtext: str,
    text: str,
    _lineno: int,
    _inliner: Inliner,
    _options: Mapping[str, Any] | None = None,
    _content: Sequence[str] = (),
) -> tuple[Sequence[Any], Sequence[Any]]:
    """The text of an unknown role: code for names in code, ``#12`` for issues, words for the rest."""
    shown = utils.unescape(text).lstrip("!")
    titled = _TITLED.match(shown)
    kind = name.lower().rpartition(":")[2]
    if titled and titled["text"]:
        return [nodes.inline(rawtext, titled["text"])], []
    if kind in _NUMBER_ROLES and shown.isdecimal():
        return [nodes.Text(f"#{shown}")], []
    if shown.startswith("~"):
        shown = shown[1:].rpartition(".")[2]
    return [nodes.literal(rawtext, shown) if kind in _CODE_ROLES else nodes.inline(rawtext, shown)], []


class _AnyOption(dict[str, Callable[[Any], Any]]):
    """Any option is fine, and none is used."""

    def __missing__(self, key: str) -> Callable[[Any], Any]:
        return lambda value: value


class _Permissive(Directive):
    """Takes any argument, option and content."""

    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = _AnyOption(any=str)


class _Ignored(_Permissive):
    """Says nothing."""

    def run(self) -> list[nodes.Node]:
        return []


class _Code(_Permissive):
    """Code in the language that its argument names."""

    def run(self) -> list[nodes.Node]:
        if not self.content:
            return []
        text = "\n".join(self.content)
        named = (self.arguments or [""])[0].split()
        return [nodes.literal_block(text, text, classes=["code", *named[:1]])]


class _Fallback(_Permissive):
    """Its argument as a paragraph, then its content as any other text."""

    def run(self) -> list[nodes.Node]:
        made: list[nodes.Node] = []
        words = (self.arguments or [""])[0]
        if words.strip() and self.name in _VERSION_LABELS:
            version, *rest = words.split(None, 1)
            words = f"*{_VERSION_LABELS[self.name]} {version}*" + "".join(f": {each}" for each in rest)
        if words.strip():
            children, messages = self.state.inline_text(words, self.lineno)
            made += [nodes.paragraph(words, "", *children), *messages]
        content = nodes.Element()
        if self.content:
            self.state.nested_parse(self.content, self.content_offset, content)
        return [*made, *content.children]


def _simplify(tree: nodes.document) -> None:
    """Replace what only docutils' pages need, so that its text is left."""
    _simplify_messages(tree)
    _simplify_blocks(tree)
    for link in list(tree.findall(nodes.reference)):
        if not link.get("refuri"):
            _replace(link, list(link.children))
    for kind in (nodes.footnote_reference, nodes.citation_reference):
        for mark in list(tree.findall(kind)):
            _replace(mark, [nodes.Text(f"[{mark.astext()}]")])


def _simplify_blocks(tree: nodes.document) -> None:
    """Give code its class; write footnotes and admonitions as paragraphs and quotes; drop comments."""
    for literal in tree.findall(nodes.literal):
        literal["classes"] = ["code"]
    for node in list(tree.findall(nodes.Element)):
        if isinstance(node, nodes.footnote | nodes.citation):
            _name_footnote(node)
        elif isinstance(node, nodes.Admonition):
            _name_admonition(node)
        elif isinstance(node, nodes.comment | nodes.pending):
            _replace(node, [])


def _simplify_messages(tree: nodes.document) -> None:
    """Errors give way to the text they are about; what would have read another file goes."""
    for message in list(tree.findall(nodes.system_message)):
        refused = re.search(r"disabled|deactivated", message.astext())
        source = [child for child in message.children if isinstance(child, nodes.literal_block)]
        _replace(message, [] if refused else source)
    for odd in list(tree.findall(nodes.problematic)):
        _replace(odd, [nodes.Text(odd.astext())])


def _name_admonition(node: nodes.Element) -> None:
    """An admonition becomes a quote that begins with its name in bold."""
    children = list(node.children)
    words = node.tagname.capitalize()
    if children and isinstance(children[0], nodes.title):
        words = children.pop(0).astext()
    _replace(node, [nodes.block_quote("", nodes.paragraph("", "", nodes.strong("", words)), *children)])


def _name_footnote(node: nodes.Element) -> None:
    """A footnote or citation becomes a paragraph that begins with its mark."""
    mark, *children = node.children
    if children and isinstance(children[0], nodes.paragraph):
        children[0].insert(0, nodes.Text(f"[{mark.astext()}] "))
    _replace(node, children)


def _replace(node: nodes.Node, others: Sequence[nodes.Node]) -> None:
    if node.parent is not None:
        node.parent.replace(node, list(others))


def _language(pre: Any) -> str:
    """The language of a block of code, from the classes that docutils gave it."""
    given = pre.get("class") or []
    named = [each for each in given if each not in {"code", "literal-block", "doctest-block"}]
    return named[0] if named and re.fullmatch(r"[\w.+#-]+", named[0]) else ""


class _Writer(MarkdownConverter):
    """Markdownify with our escaping, and one line a paragraph, since GitHub breaks at every newline."""

    def escape(self, text: str, parent_tags: Any) -> str:  # noqa: ARG002  # passed by position or name
        """Escape as the commits are."""
        return "\n".join(escape(line) for line in text.split("\n"))

    def process_text(self, el: Any, parent_tags: Any = None) -> str:
        """Let a newline in the source of a paragraph be a blank."""
        text = str(super().process_text(el, parent_tags=parent_tags))  # type: ignore[misc]  # not in the stub
        return text if "pre" in (parent_tags or ()) else text.replace("\n", " ")

    def convert_dt(self, el: Any, text: str, parent_tags: Any) -> str:  # noqa: ARG002  # passed by name
        """A term is a paragraph in bold."""
        return f"\n\n**{text.strip()}**\n\n" if text.strip() else ""

    def convert_dd(self, el: Any, text: str, parent_tags: Any) -> str:  # noqa: ARG002  # passed by name
        """What is said of it follows."""
        return f"\n\n{text.strip()}\n\n" if text.strip() else ""

    def convert_pre(self, el: Any, text: str, parent_tags: Any) -> str:
        """A fence that is longer than any in the code."""
        fenced = str(super().convert_pre(el, text, parent_tags))  # type: ignore[misc]  # not in the stub
        longest = max((len(run) for run in re.findall("`{3,}", text)), default=0)
        if not longest:
            return fenced
        fence = "`" * (longest + 1)
        return f"\n\n{fence}{_language(el)}\n{text.strip(chr(10))}\n{fence}\n\n"


if __name__ == "__main__":
    main(sys.argv[1])
