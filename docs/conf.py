"""Builds docs/ into a site with Sphinx: `make docs` writes it into build/docs.

A page is Markdown that GitHub shows as it is. Where a link leads out of docs/, GitHub has the file; the site gets a
copy of it as text, or a page of its own for the few in `PAGES_FROM_ABOVE`. Nothing is loaded from another server.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from pygments.lexers.special import TextLexer
from sphinx.addnodes import download_reference, pending_xref
from sphinx.errors import ExtensionError

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

project = "unmoor"
author = "The unmoor maintainers"
project_copyright = author
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["README.md"]  # GitHub's way in; the site has index.md

smartquotes = False  # options and file names stand in prose, too
html_theme = "furo"
html_title = "unmoor"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": []}
pygments_style = "default"
pygments_dark_style = "github-dark"

myst_heading_anchors = 4  # those of GitHub

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES_FROM_ABOVE = {"contributing/contributing": "CONTRIBUTING.md", "contributing/changelog": "changelog.d/README.md"}
"""Pages whose text is a file elsewhere in the repository. GitHub shows a link to it in their place."""
PAGES_OF = {path: name for name, path in PAGES_FROM_ABOVE.items()} | {"docs/README.md": "index", "README.md": "index"}
ADVICE = "reference/advice"
"""The index of advice. Its groups have pages in the folder of that name, and advice/ID.html leads to each entry."""
COPIES = "source"
"""The folder of the site with the copies."""


def read_page(_app: Sphinx, name: str, source: list[str]) -> None:
    """Take the text of a page from elsewhere in the repository, if it is there."""
    if name in PAGES_FROM_ABOVE:
        path = ROOT / PAGES_FROM_ABOVE[name]
        here = os.path.relpath(path.parent, (DOCS / name).parent)
        text = path.read_text(encoding="utf-8")
        source[0] = re.sub(r"\]\((?![a-z]+:|#)", lambda _: f"]({Path(here).as_posix()}/", text)
    if name.startswith(f"{ADVICE}/"):  # the index is in the navigation, which hundreds of sections would make slow
        source[0] = f"---\norphan: true\n---\n{source[0]}"


def lead_outside(app: Sphinx, tree: nodes.document) -> None:
    """Point each link that leads out of the pages to the copy of the file, or to the page with its text."""
    name = app.env.current_document.docname
    copied: set[str] = set()
    for node in [*tree.findall(download_reference), *tree.findall(pending_xref)]:
        target, anchor = _target(node, DOCS / name)
        if target is None:
            continue  # another page, an anchor of this one, or a broken link: Sphinx looks
        inside = target.relative_to(ROOT).as_posix()
        if inside in PAGES_OF:
            node.replace_self(pending_xref("", *node.children, **_to_page(PAGES_OF[inside], anchor, name)))
            continue
        copied.add(inside)
        address = f"{'../' * name.count('/')}{COPIES}/{copy_name(target)}"
        node.replace_self(nodes.reference("", "", *node.children, refuri=address))
    copies_of(app.env)[name] = copied


def _target(node: nodes.Element, page: Path) -> tuple[Path | None, str]:
    """Return the file or folder that a link leads to, if that is no page of the site, and the anchor."""
    path, _, anchor = str(node.get("reftarget", "")).partition("#")
    if node.get("reftype") != "myst" or not path:
        return None, ""
    if node.get("refdomain") == "doc":  # the parser takes any Markdown file for a page, without its suffix
        path, anchor = f"{path}.md", str(node.get("reftargetid") or "")
        target = (DOCS / path).resolve()
        outside = target.relative_to(ROOT).as_posix() in PAGES_OF or not target.is_relative_to(DOCS)
    else:
        target = (page.parent / path).resolve()
        outside = target.is_relative_to(ROOT)
    return (target if outside and target.exists() else None), anchor


def copies_of(env: BuildEnvironment) -> dict[str, set[str]]:
    """Return the files to copy, for each page that leads to them."""
    found: dict[str, set[str]] = env.__dict__.setdefault("unmoor_copies", {})
    return found


def merge_copies(_app: Sphinx, env: BuildEnvironment, names: set[str], other: BuildEnvironment) -> None:
    """Take over what a process has read that read some of the pages."""
    copies_of(env).update((name, files) for name, files in copies_of(other).items() if name in names)


def _to_page(page: str, anchor: str, source: str) -> dict[str, object]:
    """Return what a reference to a page has, as the Markdown parser makes it."""
    return {
        "refdomain": "doc",
        "reftype": "myst",
        "reftarget": page,
        "reftargetid": anchor or None,
        "refdoc": source,
        "refexplicit": True,
    }


def _file_of(target: Path) -> Path:
    """Return the file to show for a file or folder: of a folder, the one that says what it is for."""
    if target.is_file():
        return target
    return next(file for file in (target / "README.md", target / "__init__.py") if file.is_file())


def copy_name(target: Path) -> str:
    """Return the name of a copy. A browser shows text; without the suffix it would offer some files as a download."""
    file = _file_of(target)
    inside = file.relative_to(ROOT).as_posix()
    return inside if file.suffix == ".json" else f"{inside}.txt"


def write_copies(app: Sphinx, error: Exception | None) -> None:
    """Write the copies of all files that pages lead to."""
    if error is not None:
        return
    for inside in sorted(set().union(*copies_of(app.env).values())):
        into = Path(app.outdir) / COPIES / copy_name(ROOT / inside)
        into.parent.mkdir(parents=True, exist_ok=True)
        into.write_bytes(_file_of(ROOT / inside).read_bytes())


def write_addresses(app: Sphinx, error: Exception | None) -> None:
    """Write a page for the id of each piece of advice, which leads to its section, wherever that is."""
    if error is not None:
        return
    text = (DOCS / f"{ADVICE}.md").read_text(encoding="utf-8")
    into = Path(app.outdir) / "advice"
    into.mkdir(exist_ok=True)
    for group, name in re.findall(r"\(advice/([\w-]+)\.md#([\w-]+)\)", text):
        target = f"../{ADVICE}/{group}.html#{name}"
        page = (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title>'
            f'<meta http-equiv="refresh" content="0; url={target}"><a href="{target}">{name}</a></html>\n'
        )
        (into / f"{name}.html").write_text(page, encoding="utf-8", newline="\n")


def require_self_contained(app: Sphinx, error: Exception | None) -> None:
    """Refuse a site that loads something from another server: readers would be seen there, and it breaks offline."""
    if error is not None:
        return
    elements = r'<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)="(?:https?:)?//'
    loads = re.compile(elements + r"|@import|url\([\"']?(?:https?:)?//")
    found = [
        str(path)
        for path in sorted(Path(app.outdir).rglob("*"))
        if path.suffix in {".html", ".css"} and loads.search(path.read_text(encoding="utf-8"))
    ]
    if found:
        message = f"loads something from another server: {', '.join(found)}"
        raise ExtensionError(message)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what changes pages and writes copies."""
    app.connect("source-read", read_page)
    app.connect("doctree-read", lead_outside, priority=100)  # before Sphinx collects downloads
    app.connect("env-merge-info", merge_copies)
    app.connect("build-finished", write_copies)
    app.connect("build-finished", write_addresses)
    app.connect("build-finished", require_self_contained)
    app.add_lexer("mermaid", TextLexer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
