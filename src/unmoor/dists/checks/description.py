"""Render the description as PyPI does: with readme_renderer, and without a fallback.

PyPI renders every description that is not empty (warehouse/forklift/legacy.py, utils/readme.py). A blank one, such as a
newline that a build backend writes for an empty file, renders to nothing as reStructuredText or Markdown, which PyPI
refuses. As plain text it renders to line breaks, which PyPI accepts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.message import EmailMessage
from functools import cache
from typing import TYPE_CHECKING

from unmoor.dists.checks.rules import By, CheckRule, Problem, violation
from unmoor.dists.rendering import rendering_fault
from unmoor.ports import child
from unmoor.ports.shell import Shell

if TYPE_CHECKING:
    from packaging.metadata import RawMetadata

RENDERING = CheckRule(name="description-rendering", refuses="a description that cannot be rendered")
BLANK = CheckRule(
    name="description-blank", refuses="a description of blanks and line ends, in reStructuredText or Markdown"
)
MISSING = CheckRule(
    name="description-missing", refuses="no description, or a blank one in plain text", by=By.UNMOOR, warns=True
)
UNTYPED = CheckRule(
    name="description-content-type", refuses="a description without a content type", by=By.UNMOOR, warns=True
)
RULES = (RENDERING, BLANK, MISSING, UNTYPED)

Render = Callable[[str, str], str]
"""Renders a description of a media type, and returns what is wrong with it; empty if it renders."""


def render_apart(shell: Shell) -> Render:
    """Return a function that renders in a child process: no renderer promises to end with every text.

    It renders each text once: the wheels and the sdist of a release mostly have the same one.
    """
    function = f"{rendering_fault.__module__}:{rendering_fault.__name__}"

    @cache
    def render(kind: str, description: str) -> str:
        try:
            return child.call(shell, function, kind, description, kind=str)
        except child.BeyondLimits as error:
            return str(error)

    return render


def check_description(raw: RawMetadata, render: Render) -> Iterator[Problem]:
    """Check that the description renders. The metadata rules check its content type."""
    description, content_type = raw.get("description", ""), raw.get("description_content_type", "")
    if not description:
        yield violation(MISSING, "the description is missing")
        return
    kind = _media_type(content_type or "text/x-rst")
    fault = render(kind, description)
    if not description.strip():
        yield violation(BLANK, _blank(kind)) if fault else violation(MISSING, "the description is blank")
        return
    if not content_type:
        yield violation(UNTYPED, "the description has no content type, so indexes read it as reStructuredText")
    if fault:
        yield violation(RENDERING, f"cannot render the description as {kind}: {fault}")


def _blank(kind: str) -> str:
    """Explain what to do about a blank description, which often comes from an empty readme file."""
    return (
        f"the description is blank, and nothing is rendered of it as {kind}: write one in the readme, or remove the"
        " readme from the project's metadata"
    )


def _media_type(content_type: str) -> str:
    """The content type without its parameters."""
    message = EmailMessage()
    try:
        message["content-type"] = content_type
    except (ValueError, IndexError, RecursionError):
        return "text/plain"
    return message.get_content_type()
