"""Generate the JSON schemas and the reference tables of settings and worlds from their declarations.

``python -m unmoor.config.schema docs/reference`` writes them, and a test checks that the committed files are up to
date. In a page, only the blocks between ``<!-- NAME -->`` and ``<!-- end NAME -->`` are generated.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from unmoor.config.announce import AnnounceSettings
from unmoor.config.bench import BenchSettings, MeasuredCommand
from unmoor.config.checks import CheckSettings, IgnoredCheck
from unmoor.config.docs import DocsSettings
from unmoor.config.images import ImageSettings, SmokeSettings, TargetSettings
from unmoor.config.metrics import MetricsSettings
from unmoor.config.scan import IgnoreSettings, ScanSettings
from unmoor.config.service import ServiceSettings
from unmoor.config.settings import Settings
from unmoor.config.sources import variable_of
from unmoor.config.space import SpaceSettings
from unmoor.config.tables import WorldTable
from unmoor.config.type_names import fields_of, holds_tables, struct_in, structs_in, tables_in, without_none
from unmoor.config.watch import WatchIgnore
from unmoor.products.drift import FINDINGS
from unmoor.util.secret import Secret

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def settings_schema() -> dict[str, Any]:
    """The JSON schema of ``unmoor.toml``, and of ``[tool.unmoor]``."""
    return _schema(Settings, "Settings of unmoor")


def world_schema() -> dict[str, Any]:
    """The JSON schema of a world file."""
    return _schema(WorldTable, "A world of unmoor")


def _schema(kind: type[msgspec.Struct], title: str) -> dict[str, Any]:
    (_,), parts = msgspec.json.schema_components([kind], schema_hook=_hook, ref_template="#/$defs/{name}")
    top: dict[str, Any] = _plain(parts.pop(kind.__name__))
    whole: dict[str, Any] = {"$schema": _DIALECT} | top | {"title": title}
    return whole | ({"$defs": {name: _plain(part) for name, part in parts.items()}} if parts else {})


def _hook(kind: type) -> dict[str, Any]:
    """Describe a secret as a string, which is its form in the file."""
    if kind is Secret:
        return {"type": "string"}
    raise NotImplementedError(kind)


def _plain(value: Any) -> Any:
    """Remove null, which TOML does not have, names of classes, and indentation; convert tuples to lists."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return inspect.cleandoc(value) if isinstance(value, str) else value  # not every version of msgspec does that
    arms = value.get("anyOf", ())
    if {"type": "null"} in arms:
        others = [arm for arm in arms if arm != {"type": "null"}]
        value = {key: inner for key, inner in value.items() if key not in {"anyOf", "default"}} | others[0]
    is_class = isinstance(value.get("title"), str) and "properties" in value
    return {key: _plain(inner) for key, inner in value.items() if not (is_class and key == "title")}


def settings_table() -> str:
    """The options as a Markdown table."""
    rows = [
        (
            f"`{field.encode_name}`",
            _accepts(field.type),
            _default(field),
            _description(field.type),
            f"`{variable_of(field.encode_name)}`",
        )
        for field in fields_of(Settings)
        if not holds_tables(field.type)
    ]
    return _markdown(("option", "takes", "default", "description", "variable"), rows)


def image_tables() -> str:
    """The tables of a container image, each as a Markdown table under a heading."""
    tables = (("`[[image]]`", ImageSettings), ("`smoke`", SmokeSettings), ("A target", TargetSettings))
    return "\n\n".join(_block(heading, kind, nested=True) for heading, kind in tables)


def scan_tables() -> str:
    """The table of scans and that of ignored findings, each as a Markdown table under a heading."""
    tables = (("`scan`", ScanSettings), ("`[[scan.ignore]]`", IgnoreSettings))
    return "\n\n".join(_block(heading, kind) for heading, kind in tables)


def check_tables() -> str:
    """The table of checks and that of ignored ones, each as a Markdown table under a heading."""
    tables = (("`checks`", CheckSettings), ("`[[checks.ignore]]`", IgnoredCheck))
    return "\n\n".join(_block(heading, kind) for heading, kind in tables)


def deploy_tables() -> str:
    """The tables of deployments, each as a Markdown table under a heading."""
    tables: tuple[tuple[str, type[msgspec.Struct]], ...] = (
        ("`docs`", DocsSettings),
        ("`space`", SpaceSettings),
        ("`service.NAME`", ServiceSettings),
        ("`announce`", AnnounceSettings),
    )
    return "\n\n".join(_block(heading, kind) for heading, kind in tables)


def bench_tables() -> str:
    """The table of benchmarks and that of measured commands, each as a Markdown table under a heading."""
    tables = (("`bench`", BenchSettings), ("`[[bench.measure]]`", MeasuredCommand))
    return "\n\n".join(_block(heading, kind) for heading, kind in tables)


def metrics_tables() -> str:
    """The table of metrics, as a Markdown table under a heading."""
    return _block("`metrics`", MetricsSettings)


def watch_tables() -> str:
    """The accepted findings of `unmoor watch`, and what each finding means, as Markdown tables."""
    meanings = _markdown(("finding", "meaning"), [(f"`{name}`", meaning) for name, meaning in FINDINGS.items()])
    return f"{_block('`[[watch-ignore]]`', WatchIgnore)}\n\nThe findings are:\n\n{meanings}"


def world_tables() -> str:
    """The tables of a world file, each as a Markdown table under a heading."""
    fields = fields_of(WorldTable)
    blocks = [_block("The top", WorldTable)]
    for field in fields:
        name = field.encode_name
        for kind, heading in (
            (struct_in(field.type), f"`[{name}]`"),
            (structs_in(field.type), f"`[[{name}]]`"),
            (tables_in(field.type), f"`[{name}.NAME]`"),
        ):
            blocks += [_block(heading, kind)] if kind is not None else []
    return "\n\n".join(blocks)


def _block(heading: str, kind: type[msgspec.Struct], *, nested: bool = False) -> str:
    rows = [
        (f"`{field.encode_name}`", _accepts(field.type), _default(field), _description(field.type))
        for field in fields_of(kind)
        if (nested and structs_in(field.type) is not None) or not holds_tables(field.type)
    ]
    table = _markdown(("key", "takes", "default", "description"), rows)
    return f"### {heading}\n\n{(kind.__doc__ or '').strip()}\n\n{table}"


def _metas(kind: Any) -> list[msgspec.Meta]:
    return [meta for meta in getattr(kind, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]


def _description(kind: Any) -> str:
    return next((meta.description for meta in _metas(kind) if meta.description), "")


def _accepts(kind: Any) -> str:
    """Describe briefly which values an option accepts."""
    base = getattr(kind, "__origin__", kind) if _metas(kind) else kind
    base, metas = without_none(base, tuple(_metas(kind)))
    if get_origin(base) is tuple:
        return "list of tables" if structs_in(kind) is not None else "list of texts"
    if get_origin(base) is Literal:
        return ", ".join(f"`{json.dumps(value)}`" for value in get_args(base))
    if base in {int, float}:
        low = next((meta.ge for meta in metas if meta.ge is not None), "")
        high = next((meta.le for meta in metas if meta.le is not None), "")
        return f"number, {low} to {high}"
    if get_origin(base) is dict:
        return "table"
    return "true or false" if base is bool else "text"


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    if field.default_factory in {dict, list}:
        return "`{}`"
    if field.default is None:
        return "not set"
    value = "" if field.default is msgspec.NODEFAULT else field.default
    return f"`{json.dumps(value)}`"


def _markdown(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


BLOCKS: Mapping[str, Callable[[], str]] = {
    "settings": settings_table,
    "image": image_tables,
    "scan": scan_tables,
    "checks": check_tables,
    "deploy": deploy_tables,
    "bench": bench_tables,
    "metrics": metrics_tables,
    "watch": watch_tables,
    "world": world_tables,
}
SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "settings.schema.json": settings_schema,
    "world.schema.json": world_schema,
}
PAGES = ("configuration.md", "world-file.md")


def refresh_blocks(page: str) -> str:
    """Return a page with its blocks generated again. Raises ``KeyError`` for an unknown block."""
    pattern = re.compile(r"<!-- (?P<name>[a-z]+) -->\n.*?<!-- end (?P=name) -->", re.DOTALL)
    return pattern.sub(lambda m: f"<!-- {m['name']} -->\n{BLOCKS[m['name']]()}\n<!-- end {m['name']} -->", page)


def generate_files(folder: Path) -> Mapping[Path, str]:
    """Return every generated file of a folder, with its up-to-date text."""
    schemas = {folder / name: json.dumps(make(), indent=2) + "\n" for name, make in SCHEMAS.items()}
    pages = {folder / name: refresh_blocks((folder / name).read_text(encoding="utf-8")) for name in PAGES}
    return schemas | pages


def main(folder: str) -> None:
    """Write every generated file of a folder."""
    for path, text in generate_files(Path(folder)).items():
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
