"""Convert reStructuredText to Markdown on standard output: ``python -m unmoor.notes.convert FILE``.

It runs in a separate process (see ``rst``), with nothing of the project on its path. docutils parses the text
without including files, raw text or configuration files. Roles and directives of Sphinx, which docutils does not
know, fall back to their text. docutils writes HTML, and markdownify converts that to Markdown, because docutils has
no maintained Markdown writer.

It uses internals, so pyproject.toml excludes the next major versions: docutils' tables of roles and directives
(``languages.en``), its settings and the HTML of its writer, and markdownify's ``escape`` and ``process_text``.
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

from unmoor.notes import sphinx
from unmoor.notes.markdown import escape

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
_NAME = r"[A-Za-z][\w.+:-]{0,99}"
_ROLE = re.compile(rf":({_NAME}):`|`:({_NAME}):")
_DIRECTIVE = re.compile(rf"^[ \t>*+-]*+\.\. (?:\|[^|\n]{{1,999}}\| )?({_NAME})::", re.MULTILINE)


def main(path: str) -> None:
    """Convert a file and write the Markdown to standard output."""
    sys.stdout.write(convert(Path(path).read_text(encoding="utf-8")))


def convert(source: str) -> str:
    """Convert reStructuredText to Markdown. Changes docutils' global tables, so call it in a separate process."""
    _register_fallbacks(source)
    tree = publish_doctree(source, settings_overrides=_SETTINGS)
    _simplify(tree)
    html = publish_from_doctree(tree, writer=Writer(), settings_overrides=_SETTINGS)
    body = html.partition("<main")[2] or html.partition("<body")[2]
    writer = _Writer(heading_style="ATX", bullets="-", code_language_callback=_language)
    result = str(writer.convert("<main" + body)).strip()
    # Drop a rule between versions, left over at the end of the section.
    while result.endswith("\n---"):
        result = result.removesuffix("\n---").rstrip()
    return result + "\n"


def _register_fallbacks(source: str) -> None:
    """Register a fallback for every role and directive of the text that docutils does not know, or is too strict on."""
    for first, second in _ROLE.findall(source):
        name = (first or second).lower()
        if name not in en.roles:
            roles.register_local_role(name, _role)
    for name in {match.lower() for match in _DIRECTIVE.findall(source)}:
        if name in sphinx.IGNORED:
            directives.register_directive(name, _Ignored)
        elif name == "change":
            directives.register_directive(name, _Change)
        elif name in sphinx.CODE:
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
    """Render an unknown role: names as code, issue numbers as ``#12``, everything else as plain text."""
    shown, is_code = sphinx.read_role(name, utils.unescape(text))
    if is_code:
        return [nodes.literal(rawtext, shown)], []
    return [nodes.Text(shown) if shown.startswith("#") else nodes.inline(rawtext, shown)], []


class _AnyOption(dict[str, Callable[[Any], Any]]):
    """Accepts any option and uses none."""

    def __missing__(self, key: str) -> Callable[[Any], Any]:
        return lambda value: value


class _Permissive(Directive):
    """A directive that accepts any argument, option and content."""

    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = _AnyOption(any=str)


class _Ignored(_Permissive):
    """A directive that renders nothing."""

    def run(self) -> list[nodes.Node]:
        return []


class _Code(_Permissive):
    """A directive that renders code in the language that its argument names."""

    def run(self) -> list[nodes.Node]:
        if not self.content:
            return []
        text = "\n".join(self.content)
        named = (self.arguments or [""])[0].split()
        return [nodes.literal_block(text, text, classes=["code", *named[:1]])]


class _Fallback(_Permissive):
    """A directive that renders its argument as a paragraph, followed by its content as normal text."""

    def run(self) -> list[nodes.Node]:
        result: list[nodes.Node] = []
        words = (self.arguments or [""])[0]
        if words.strip() and self.name in sphinx.VERSION_LABELS:
            version, *rest = words.split(None, 1)
            words = f"*{sphinx.VERSION_LABELS[self.name]} {version}*" + "".join(f": {each}" for each in rest)
        if words.strip():
            children, messages = self.state.inline_text(words, self.lineno)
            result += [nodes.paragraph(words, "", *children), *messages]
        content = nodes.Element()
        if self.content:
            self.state.nested_parse(self.content, self.content_offset, content)
        return [*result, *content.children]


class _Change(_Permissive):
    """An entry of the directive ``changelog``: an item of a list, with the numbers of its tickets at the end."""

    def run(self) -> list[nodes.Node]:
        content = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, content)
        tickets = [f"#{each}" for each in re.findall(r"\d+", str(self.options.get("tickets") or ""))]
        last = content.children[-1] if content.children else None
        if tickets and isinstance(last, nodes.paragraph):
            last += nodes.Text(f" ({', '.join(tickets)})")
        return [nodes.bullet_list("", nodes.list_item("", *content.children))]


def _simplify(tree: nodes.document) -> None:
    """Replace elements that only docutils' own pages need with their text."""
    _simplify_messages(tree)
    _simplify_blocks(tree)
    for link in list(tree.findall(nodes.reference)):
        if not link.get("refuri"):
            _replace(link, list(link.children))
    for kind in (nodes.footnote_reference, nodes.citation_reference):
        for mark in list(tree.findall(kind)):
            _replace(mark, [nodes.Text(f"[{mark.astext()}]")])


def _simplify_blocks(tree: nodes.document) -> None:
    """Mark code, turn footnotes into paragraphs and admonitions into quotes, and drop comments."""
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
    """Replace error messages with the text they are about. Drop directives that would have read another file."""
    for message in list(tree.findall(nodes.system_message)):
        refused = re.search(r"disabled|deactivated", message.astext())
        source = [child for child in message.children if isinstance(child, nodes.literal_block)]
        _replace(message, [] if refused else source)
    for node in list(tree.findall(nodes.problematic)):
        # Sphinx's configuration defines substitutions that are unknown here.
        unknown = re.fullmatch(r"\|([^|]+)\|", node.astext())
        _replace(node, [nodes.Text(unknown[1] if unknown else node.astext())])


def _name_admonition(node: nodes.Element) -> None:
    """Turn an admonition into a quote that starts with its name in bold."""
    children = list(node.children)
    words = node.tagname.capitalize()
    if children and isinstance(children[0], nodes.title):
        words = children.pop(0).astext()
    _replace(node, [nodes.block_quote("", nodes.paragraph("", "", nodes.strong("", words)), *children)])


def _name_footnote(node: nodes.Element) -> None:
    """Turn a footnote or citation into a paragraph that starts with its label."""
    mark, *children = node.children
    if children and isinstance(children[0], nodes.paragraph):
        children[0].insert(0, nodes.Text(f"[{mark.astext()}] "))
    _replace(node, children)


def _replace(node: nodes.Node, others: Sequence[nodes.Node]) -> None:
    if node.parent is not None:
        node.parent.replace(node, list(others))


def _language(pre: Any) -> str:
    """The language of a code block, from the classes that docutils set."""
    given = pre.get("class") or []
    named = [each for each in given if each not in {"code", "literal-block", "doctest-block"}]
    return named[0] if named and re.fullmatch(r"[\w.+#-]+", named[0]) else ""


class _Writer(MarkdownConverter):
    """Markdownify with unmoor's escaping, and one line for each paragraph, because GitHub breaks at newlines."""

    def escape(self, text: str, parent_tags: Any) -> str:  # noqa: ARG002  # passed by position or name
        """Escape text like commit subjects."""
        return "\n".join(escape(line) for line in text.split("\n"))

    def process_text(self, el: Any, parent_tags: Any = None) -> str:
        """Replace a newline inside a paragraph with a space."""
        text = str(super().process_text(el, parent_tags=parent_tags))  # type: ignore[misc]  # not in the stub
        return text if "pre" in (parent_tags or ()) else text.replace("\n", " ")

    def convert_dt(self, el: Any, text: str, parent_tags: Any) -> str:  # noqa: ARG002  # passed by name
        """Render a term as a paragraph in bold."""
        return f"\n\n**{text.strip()}**\n\n" if text.strip() else ""

    def convert_dd(self, el: Any, text: str, parent_tags: Any) -> str:  # noqa: ARG002  # passed by name
        """Render a definition as a paragraph."""
        return f"\n\n{text.strip()}\n\n" if text.strip() else ""

    def convert_pre(self, el: Any, text: str, parent_tags: Any) -> str:
        """Render code in a fence that is longer than any inside it."""
        fenced = str(super().convert_pre(el, text, parent_tags))  # type: ignore[misc]  # not in the stub
        longest = max((len(run) for run in re.findall("`{3,}", text)), default=0)
        if not longest:
            return fenced
        fence = "`" * (longest + 1)
        return f"\n\n{fence}{_language(el)}\n{text.strip(chr(10))}\n{fence}\n\n"


if __name__ == "__main__":
    main(sys.argv[1])
