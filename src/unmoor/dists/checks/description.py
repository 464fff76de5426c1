"""The description, rendered as PyPI renders it: by readme_renderer, without a way to fall back."""

from __future__ import annotations

import io
from collections.abc import Iterator
from email.message import EmailMessage
from typing import TYPE_CHECKING

from unmoor.dists.checks.rules import CheckRule, Problem, violation

if TYPE_CHECKING:
    from packaging.metadata import RawMetadata

RENDERING = CheckRule(name="description-rendering", refuses="a description that cannot be rendered")
MISSING = CheckRule(name="description-missing", refuses="no description", warns=True)
UNTYPED = CheckRule(name="description-content-type", refuses="a description without content type", warns=True)
RULES = (RENDERING, MISSING, UNTYPED)


def check_description(raw: RawMetadata) -> Iterator[Problem]:
    """Judge the description; its content type must be one, which the metadata's own rule sees to."""
    description, said = raw.get("description", ""), raw.get("description_content_type", "")
    if not description.strip():
        yield violation(MISSING, "the description is missing")
        return
    if not said:
        yield violation(UNTYPED, "the description has no content type, so it is taken for reStructuredText")
    kind = _media_type(said or "text/x-rst")
    if fault := _rendering_fault(kind, description):
        yield violation(RENDERING, f"the description cannot be rendered as {kind}: {fault}")


def _media_type(said: str) -> str:
    """The content type without its parameters."""
    message = EmailMessage()
    try:
        message["content-type"] = said
    except (ValueError, IndexError):
        return "text/plain"
    return message.get_content_type()


def _rendering_fault(kind: str, description: str) -> str:
    """Render, and say what is wrong; empty where nothing is."""
    if kind == "text/x-rst":
        from readme_renderer import rst

        heard = io.StringIO()
        return "" if rst.render(description, stream=heard) is not None else _first_line(heard.getvalue())
    if kind == "text/markdown":
        from readme_renderer import markdown

        return "" if markdown.render(description) is not None else "nothing comes of it"
    from readme_renderer import txt

    return "" if txt.render(description) is not None else "nothing comes of it"


def _first_line(heard: str) -> str:
    """What docutils complained of: ``<string>:LINE: (LEVEL/N) message``, made readable."""
    text = heard.strip()
    if text.startswith("<string>:"):
        line, _, rest = text.removeprefix("<string>:").partition(": ")
        return f"line {line}: {rest.partition(') ')[2] or rest}"
    return text or "nothing comes of it"
