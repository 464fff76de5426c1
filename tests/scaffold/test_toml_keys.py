"""Keys that are added to a TOML file: each with its reason, and nothing else changed."""

from __future__ import annotations

import tomllib

import pytest

from unmoor.errors import ConfigError, Refused
from unmoor.scaffold.toml_keys import TomlKey, table_text, with_keys, with_tables

TOP = TomlKey(table=("tool", "unmoor"), name="tests", value="off", reason="No tests.")
BELOW = TomlKey(table=("tool", "unmoor", "workflows"), name="coverage", value=90, reason="As it is.\nNow.")

ADDED = {
    "new tables": (
        "[project]\nname = 'x' # here\n",
        (
            "[project]\nname = 'x' # here\n\n[tool.unmoor]\n# No tests.\ntests = \"off\"\n"
            "\n[tool.unmoor.workflows]\n# As it is.\n# Now.\ncoverage = 90\n"
        ),
    ),
    "no last line end": (
        "a = 1\nb = 2",
        (
            'a = 1\nb = 2\n\n[tool.unmoor]\n# No tests.\ntests = "off"\n'
            "\n[tool.unmoor.workflows]\n# As it is.\n# Now.\ncoverage = 90\n"
        ),
    ),
    "tables that are there": (
        "[tool.unmoor] # ours\ndeadline = 60\n\n[tool.'unmoor'.workflows]\nshards = 2\n\n[tool.z]\n",
        (
            '[tool.unmoor] # ours\n# No tests.\ntests = "off"\ndeadline = 60\n\n'
            "[tool.'unmoor'.workflows]\n# As it is.\n# Now.\ncoverage = 90\nshards = 2\n\n[tool.z]\n"
        ),
    ),
    "only a table below": (
        "[tool.unmoor.workflows]\ncoverage = 1\n",
        '[tool.unmoor.workflows]\ncoverage = 1\n\n[tool.unmoor]\n# No tests.\ntests = "off"\n',
    ),
    "keys that are there": (
        "[tool.unmoor]\ntests = 'auto'\nworkflows.coverage = 0\n",
        "[tool.unmoor]\ntests = 'auto'\nworkflows.coverage = 0\n",
    ),
}


@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("name", ADDED)
def test_missing_keys_are_added(name: str, ends: str) -> None:
    """A key that is there keeps its value, and a second time nothing is added."""
    before, after = (each.replace("\n", ends).encode() for each in ADDED[name])
    assert with_keys("pyproject.toml", before, [TOP, BELOW]) == after
    assert with_keys("pyproject.toml", after, [TOP, BELOW]) == after


@pytest.mark.parametrize(
    "text",
    [
        "[tool]\nunmoor = { deadline = 60 }\n",
        "tool.unmoor.deadline = 60\n",
        'a = """\n[tool.unmoor]\n"""\n[tool]\nunmoor.deadline = 1\n',
    ],
    ids=["inline", "dotted", "in a text"],
)
def test_what_would_change_more_is_left_to_a_person(text: str) -> None:
    """The message has the lines to write."""
    with pytest.raises(Refused, match=r"(?s)cannot be added.*No tests.*coverage = 90") as caught:
        with_keys("pyproject.toml", text.encode(), [TOP, BELOW])
    assert caught.value.next_step.ids == ("add-by-hand",)


def test_a_malformed_file_is_named() -> None:
    """It is the user's mistake, with a line."""
    with pytest.raises(ConfigError, match=r"not TOML.*line 2"):
        with_keys("pyproject.toml", b"a = 1\nb =\n", [TOP])


def test_tables_come_at_the_end() -> None:
    """An element of an array of tables follows what is there, and may not contradict it."""
    text = table_text(("tool", "unmoor", "image"), [TomlKey(table=(), name="targets", value={"a-b": ""})], array=True)
    after = with_tables("pyproject.toml", b"a = 1", text)
    assert tomllib.loads(after.decode()) == {"a": 1, "tool": {"unmoor": {"image": [{"targets": {"a-b": ""}}]}}}
    with pytest.raises(Refused, match="cannot be added"):
        with_tables("pyproject.toml", b"tool = 1", text)
