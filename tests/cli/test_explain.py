"""`unmoor explain` prints what a piece of advice is about."""

from __future__ import annotations

import json

from click.testing import CliRunner

from unmoor import advice
from unmoor.cli.exit_codes import message
from unmoor.cli.explain import command
from unmoor.errors import Denied, Unknown


def test_explains_what_is_named() -> None:
    """Each id is explained once, in the order of the arguments."""
    ran = CliRunner().invoke(command, ["check-clock", "push-tag", "check-clock"])
    assert ran.exit_code == 0
    assert [line for line in ran.stdout.splitlines() if line and not line.startswith(" ")] == [
        "check-clock",
        "push-tag",
    ]
    assert "public by then:" in ran.stdout


def test_lists_all_without_a_name() -> None:
    """A line for each id begins with it."""
    ran = CliRunner().invoke(command, [])
    assert [line.split()[0] for line in ran.stdout.splitlines()] == [
        each["id"] for each in json.loads(CliRunner().invoke(command, ["--json"]).stdout)
    ]


def test_an_unknown_id_is_wrong_usage() -> None:
    """The message has similar ids, and shows no control characters of what was typed."""
    ran = CliRunner().invoke(command, ["check-clok\x1b"])
    assert ran.exit_code == 2
    assert "\x1b" not in ran.stderr
    assert "did you mean check-clock" in ran.stderr
    assert "lists all" in CliRunner().invoke(command, ["zzzzzz"]).stderr


def test_an_error_leads_here() -> None:
    """The last line of a message is the command that explains its advice, if there is more to say than to try again."""
    error = Unknown("no", next_step=advice.CHECK_NETWORK(), wait=3.0, otherwise=advice.CHECK_CLOCK())
    assert message(error)[-1].endswith("unmoor explain check-network check-clock")
    assert not any("explain" in line for line in message(Unknown("no")))
    assert not any("explain" in line for line in message(Denied("no")))
