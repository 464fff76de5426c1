"""Render a description with readme_renderer, which PyPI renders with.

This runs in a child process (`unmoor.dists.checks.description`), so it imports nothing else: the modules of the checks
take four times as long to load as the renderer of Markdown.
"""

from __future__ import annotations

import io


def rendering_fault(kind: str, description: str) -> str:
    """Render the description and return what is wrong. Empty if it renders."""
    if kind == "text/x-rst":
        from readme_renderer import rst

        warnings = io.StringIO()
        return "" if rst.render(description, stream=warnings) is not None else _first_line(warnings.getvalue())
    if kind == "text/markdown":
        from readme_renderer import markdown

        return "" if markdown.render(description) is not None else "the renderer returns nothing"
    from readme_renderer import txt

    return "" if txt.render(description) is not None else "the renderer returns nothing"


def _first_line(warnings: str) -> str:
    """Make a docutils warning readable. It reads ``<string>:LINE: (LEVEL/N) message``."""
    text = warnings.strip()
    if text.startswith("<string>:"):
        line, _, rest = text.removeprefix("<string>:").partition(": ")
        return f"line {line}: {rest.partition(') ')[2] or rest}"
    return text or "the renderer returns nothing"
