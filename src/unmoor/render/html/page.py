"""Fill a template. Text from outside stays text, and a browser loads nothing and runs nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from unmoor.util.text import clean

if TYPE_CHECKING:
    from jinja2 import Environment

_LONGEST = 500


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
    made.filters["path"] = _path
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
