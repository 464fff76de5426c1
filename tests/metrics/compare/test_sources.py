"""The values of a process: the medians of pytest-benchmark, or the program's own time and memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unmoor.config.bench import BenchSettings, MeasuredCommand
from unmoor.metrics.compare.sources import BenchSource, read_benchmarks, sources_of
from unmoor.ports.measuring import ProgramFigures

SETTINGS = BenchSettings(
    command="pytest {project}/bench --benchmark-json={json}",
    measure=(MeasuredCommand(name="start-up", run="mytool 'a b'"),),
)

TWICE = json.dumps({"benchmarks": [{"fullname": "a", "stats": {"median": 1}}] * 2})


def written(folder: Path, *medians: tuple[str, object]) -> Path:
    """A JSON as pytest-benchmark writes it, with what is not read."""
    path = folder / "b.json"
    benchmarks = [
        {"fullname": name, "stats": {"median": value, "data": [1, 2]}, "extra": {}} for name, value in medians
    ]
    path.write_text(json.dumps({"machine_info": {}, "benchmarks": benchmarks, "version": "5"}), "utf-8")
    return path


def test_the_sources_of_settings() -> None:
    """The command is one source, and each measured command is one, split as a shell would."""
    command, start = sources_of(SETTINGS)
    assert command == BenchSource(
        name="command", words=("pytest", "{project}/bench", "--benchmark-json={json}"), writes_json=True
    )
    assert start == BenchSource(name="start-up", words=("mytool", "a b"))


def test_the_median_of_each_benchmark(tmp_path: Path) -> None:
    """The inner rounds are left out: a process is one sample."""
    assert read_benchmarks(written(tmp_path, ("b.py::a", 0.5), ("b.py::c[1]", 1e-9))) == {
        "b.py::a": 0.5,
        "b.py::c[1]": 1e-9,
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "it wrote no JSON"),
        ("", "its JSON is empty"),
        ("{", "not that of pytest-benchmark"),
        ('{"benchmarks": {}}', "not that of pytest-benchmark"),
        ('{"benchmarks": [{"fullname": "a", "stats": {"median": 0}}]}', "has the median 0"),
        ('{"benchmarks": [{"fullname": "a", "stats": {"median": -1}}]}', "has the median -1"),
        (TWICE, "two benchmarks of one name"),
    ],
    ids=["absent", "empty", "cut", "shape", "zero", "negative", "twice"],
)
def test_wrong_json(tmp_path: Path, content: str | None, message: str) -> None:
    """The error says what is wrong with it."""
    path = tmp_path / "b.json"
    if content is not None:
        path.write_text(content, "utf-8")
    with pytest.raises(ValueError, match=message):
        read_benchmarks(path)


@pytest.mark.parametrize(
    ("figures", "values"),
    [
        (ProgramFigures(wall=0.5, code=0, cpu=0.2, peak=9_000_000), (0.5, 0.2, 9e6)),
        (ProgramFigures(wall=0.5, code=0, cpu=0.0, peak=1), (0.5, 0.001, 1.0)),
        (ProgramFigures(wall=0.5, code=0), (0.5, None, None)),
    ],
    ids=["all", "tick", "unknown"],
)
def test_the_values_of_a_measured_command(
    tmp_path: Path, figures: ProgramFigures, values: tuple[float | None, ...]
) -> None:
    """Time, CPU and peak of memory; what the system does not say is ``None``, and a tick of the clock is the least."""
    source = BenchSource(name="start-up", words=("x",))
    found = source.values(figures, tmp_path / "none")
    assert found == dict(zip(("start-up: time", "start-up: CPU", "start-up: peak memory"), values, strict=True))
    assert [source.unit(each) for each in found] == ["s", "s", "bytes"]
