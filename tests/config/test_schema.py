"""The committed schemas and reference pages match the declarations."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from unmoor.config.schema import PAGES, SCHEMAS, generate_files, settings_schema, world_schema

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", [*SCHEMAS, *PAGES])
def test_generated_files_are_up_to_date(name: str) -> None:
    """The committed file equals the output of ``python -m unmoor.config.schema docs/reference``."""
    path = REFERENCE / name
    assert path.read_text(encoding="utf-8") == generate_files(REFERENCE)[path]


@pytest.mark.parametrize(
    ("schema", "text", "fits"),
    [
        (settings_schema(), "", True),
        (settings_schema(), 'testpypi = "off"\ntest-sources = ["tests"]\ndeadline = 60', True),
        (settings_schema(), 'testpypi = "on"', False),
        (settings_schema(), "test_command = 'x'", False),
        (settings_schema(), 'test-sources = ["../x"]', False),
        (settings_schema(), "deadline = 1", False),
        (world_schema(), 'name = "x"\n[index]\nupload = "https://e.org/u/"\nsimple = "https://e.org/s/"', True),
        (world_schema(), 'name = "x"\n[index]\nupload = "https://e.org/u/"', False),
        (world_schema(), 'name = "x"', False),
        (world_schema(), 'name = "x"\n[index]\nupload = "ftp://e.org/u/"\nsimple = "https://e.org/s/"', False),
    ],
)
def test_the_schemas_accept_what_the_reader_accepts(schema: dict[str, Any], text: str, *, fits: bool) -> None:
    """An editor that uses the schemas finds the same faults as the reader."""
    import jsonschema  # takes 2 s, so not while tests are collected

    jsonschema.Draft202012Validator.check_schema(schema)
    assert jsonschema.Draft202012Validator(schema).is_valid(tomllib.loads(text)) is fits


@pytest.mark.parametrize("page", [*PAGES, "../how-to/worlds.md"])
def test_the_first_example_of_a_page_is_valid(page: str) -> None:
    """The first TOML example of a page is valid by its schema."""
    import jsonschema  # takes 2 s, so not while tests are collected

    text = (REFERENCE / page).read_text(encoding="utf-8")
    table = tomllib.loads(text.partition("```toml\n")[2].partition("```")[0])
    schema, instance = (settings_schema(), table["tool"]["unmoor"]) if "tool" in table else (world_schema(), table)
    jsonschema.Draft202012Validator(schema).validate(instance)
