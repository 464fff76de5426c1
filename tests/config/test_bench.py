"""The table of benchmarks."""

from __future__ import annotations

import pytest

from unmoor.config.bench import BenchSettings, MeasuredCommand
from unmoor.config.settings import resolve
from unmoor.errors import ConfigError


def read(text: str) -> BenchSettings | None:
    """Read the table ``bench``."""
    return resolve(lambda name: f"[bench]\n{text}".encode() if name == "unmoor.toml" else None).settings.bench


def test_the_example_of_the_documentation() -> None:
    """Each key has its value, and a blank may be before the unit of a time."""
    assert read(
        'command = "pytest {project}/bench --benchmark-json={json}"\n'
        'measure = [{ name = "start-up", run = "mytool --version" }]\n'
        'threshold = "10%"\n'
        'max-time = "10 min"'
    ) == BenchSettings(
        command="pytest {project}/bench --benchmark-json={json}",
        measure=(MeasuredCommand(name="start-up", run="mytool --version"),),
        threshold="10%",
        max_time="10 min",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('command = "pytest bench"', "expected {json} where the command names the file"),
        ('command = "pytest \'bench {json}"', "cannot split this into arguments"),
        ('threshold = "0.1%"', "expected a percentage from 0.5% to 90%"),
        ('threshold = "5"', "expected a percentage such as"),
        ('max-time = "soon"', "expected a time such as"),
        ('measure = [{ name = "a|b", run = "x" }]', "a short name"),
        ('measure = [{ name = "a", run = " " }]', "a command on one line"),
    ],
    ids=["json", "quote", "low", "percent", "time", "name", "blank"],
)
def test_wrong_values(text: str, message: str) -> None:
    """The error says what a value has to be."""
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert message in str(caught.value)
