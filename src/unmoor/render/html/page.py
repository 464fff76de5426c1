"""Fill a template. Text from outside stays text, and a browser loads nothing and runs nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from unmoor.util.text import clean, indented, size

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_LONGEST = 500
_MOST_LINES = 200

_COLOURS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("complete", "passed", "valid", "approved", "made", "found", "holds"), "holds"),
        **dict.fromkeys(("pending", "planned", "skipped", "unasked", "in part"), "waits"),
        **dict.fromkeys(("unknown", "not tested", "not run", "not checked", "waived", "unfinished"), "unknown"),
        **dict.fromkeys(("incomplete", "conflicting", "failed", "wrong", "rejected", "broken"), "broken"),
    }
)
"""The words for a state, and the class that colours each. Others are plain."""


def render_page(template: str, **values: Any) -> bytes:
    """Return a page in UTF-8. ``template`` is the name of a file in ``templates``, and extends ``base.html``."""
    page: str = _environment().get_template(template).render(values)
    lines = (line.rstrip() for line in page.splitlines())
    return ("\n".join(line for line in lines if line) + "\n").encode()


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    # The style is our own file. Its hash is all that the policy of the page allows.
    style = "\n" + _text("style.css")
    made = Environment(
        loader=FunctionLoader(_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.filters |= {"path": _path, "web": _web, "block": _block, "bytes": _bytes}
    made.filters["colour"] = lambda word: _COLOURS.get(word, "plain")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    made.globals |= {
        "style": style,
        "policy": f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
    }
    return made


def _text(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text("utf-8").replace("\r\n", "\n")


def _shown(value: object) -> object:
    """Make every value that a template prints one printable line; what the template itself wrote stays."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return clean(value, _LONGEST)
    return value


def _path(commands: str) -> str:
    """Require the path of an SVG, which templates then mark as safe: numbers and the commands that draw a line."""
    if not re.fullmatch(r"[MLHh0-9 ]*", commands):
        msg = "no path of a chart"
        raise ValueError(msg)
    return commands


def _web(address: str) -> str:
    """An address that a link may lead to, http and https only; empty for any other."""
    return address if address.lower().startswith(("https://", "http://")) else ""


def _block(text: str) -> Markup:
    """Several lines of text, each printable."""
    from markupsafe import Markup

    lines = text.splitlines()
    shown = [escape(indented(line, _LONGEST)) for line in lines[:_MOST_LINES]]
    shown += [f"… {len(lines) - _MOST_LINES} more lines"] if len(lines) > _MOST_LINES else []
    return Markup("\n".join(shown))  # noqa: S704 - each line is escaped


def _bytes(count: int | None) -> str:
    """A number of bytes with its unit."""
    return "not known" if count is None else size(count)
