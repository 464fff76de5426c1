"""YAML as ruamel.yaml writes it, which reads workflow files too: YAML 1.2, as GitHub does, and it writes comments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import LiteralScalarString

from unmoor.workflows.yaml_nodes import Braces, Commented, Flow

# No line is folded: a long command stays as it is.
_WIDTH = 1_000_000


def written(value: object) -> str:
    """Return a value as YAML in block style, indented by two spaces."""
    yaml = YAML()
    yaml.width = _WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    yaml.dump(_value(value), stream)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def _value(value: Any) -> Any:
    if isinstance(value, Commented):
        return _commented(value)
    if isinstance(value, Mapping):
        return CommentedMap({key: _value(each) for key, each in value.items()})
    if isinstance(value, Flow | Braces):
        found = CommentedSeq(value.items) if isinstance(value, Flow) else CommentedMap()
        found.fa.set_flow_style()
        return found
    if isinstance(value, Sequence) and not isinstance(value, str):
        return CommentedSeq([_value(each) for each in value])
    # A text of several lines stands as its lines.
    return LiteralScalarString(value) if isinstance(value, str) and "\n" in value else value


def _commented(value: Commented) -> CommentedMap:
    found = CommentedMap({key: _value(each) for key, each in value.pairs.items()})
    for key, text in value.beside.items():
        found.yaml_add_eol_comment(text, key, column=0)
    for key, text in value.above.items():
        found.yaml_set_comment_before_after_key(key, before=text, indent=value.indent)
    return found
