"""The listeners, with the events of one small run."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from msgspec.structs import asdict
from tests.support import sample_values

from unmoor.advice import NextStep
from unmoor.core.events import (
    Event,
    LeftOut,
    Report,
    RunEnded,
    RunStarted,
    StageEnded,
    StageInfo,
    StageReport,
    StageSaid,
    StageStarted,
)
from unmoor.core.events import StageWarned as Warned
from unmoor.core.middleware import outcome_record
from unmoor.core.outcome import Failed, Found, Made, Outcome, Planned, Skipped
from unmoor.core.stage import Reach
from unmoor.errors import BuildFailed, CheckFailed, Conflict, FailedAt, UnmoorError
from unmoor.products import Access, Proof, Result, Subject, Uploaded, Verdict
from unmoor.products.access import Certainty, Finding
from unmoor.render import actions, document, words
from unmoor.render.live import Live
from unmoor.render.plain import Plain
from unmoor.util.values import replace

RELEASE = sample_values.sample_release("acme/demo", "demo")
PROOF = Proof(
    name="prove-dists",
    subjects=(Subject(name="demo-1.0-py3-none-any.whl", sha256="b" * 64),),
    results=(Result(name="import", verdict=Verdict.PASSED), Result(name="tests", verdict=Verdict.NOT_TESTED)),
)
BAD = Conflict("other bytes:\x1b[31m evil\nsecond line", next_step=NextStep("use the next\n::warning::version", "x"))
OUTCOMES: dict[str, tuple[Reach, Outcome]] = {
    "tag": (Reach.READS, Made(RELEASE)),
    "prove-dists": (Reach.LOCAL, Found(PROOF)),
    "testpypi": (Reach.REMOTE, Made(Uploaded(index="testpypi", files=PROOF.subjects))),
    "pypi": (Reach.FINAL, Failed(BAD)),
    "undraft": (Reach.FINAL, Skipped("pypi failed")),
    "verify": (Reach.READS, Planned("read back")),
}


def report() -> Report:
    """Return the report of the run."""
    stages = tuple(
        StageReport(
            info=StageInfo(name=name, reach=reach, advisory=False), outcome=outcome, seconds=1.25, plan=f"do {name}"
        )
        for name, (reach, outcome) in OUTCOMES.items()
    )
    return Report(stages=stages, warnings=(Warned(stage="tag", text="look | out"),), seconds=3.0)


def events() -> list[Event]:
    """Return the events of the run."""
    run = report()
    stages = tuple(stage.info for stage in run.stages)
    sent: list[Event] = [RunStarted(world="local", rehearsal=True, ceiling=Reach.FINAL, stages=stages)]
    sent += [StageStarted(stage="tag"), StageSaid(stage="tag", text="looking\x07"), *run.warnings]
    sent += [StageEnded(stage=name, outcome=o, seconds=1.25) for name, (_, o) in OUTCOMES.items()]
    return [*sent, RunEnded(report=run)]


def test_plain_lines_show_each_stage_once() -> None:
    """One line a stage, with its state, its result and its duration, and without control characters."""
    lines: list[str] = []
    plain = Plain(lines.append)
    for event in events():
        plain(event)
    assert lines[0] == "rehearsal in world 'local', ceiling final"
    assert "tag          done: demo 1.0 at aaaaaaaaaaaa (final, the highest) (1.2 s)" in lines
    assert "prove-dists  already there: 1 check passed; not tested: tests (1.2 s)" in lines
    assert "pypi         FAILED: other bytes: evil (1.2 s)" in lines
    assert not any("\x1b" in line or "\x07" in line for line in lines)


def test_the_live_table_shows_every_stage() -> None:
    """At the end the table has every stage with its mark."""
    from rich.console import Console

    out = io.StringIO()
    live = Live(Console(file=out, force_terminal=True, width=140, legacy_windows=False))
    for event in events():
        live(event)
    text = out.getvalue()
    assert all(name in text for name in OUTCOMES)
    assert "✓" in text
    assert "✗" in text


@pytest.mark.parametrize(
    ("encoding", "marks"),
    [("utf-8", ("✓", "✗")), ("cp1252", ("+ ", "x ")), ("cp437", ("+ ", "x ")), ("ascii", ("+ ", "x "))],
)
@pytest.mark.parametrize("ansi", [True, False])
def test_the_live_table_on_any_terminal(encoding: str, marks: tuple[str, str], *, ansi: bool) -> None:
    """A terminal whose encoding has no such marks, or that knows no escape sequences, shows the whole table."""
    from rich.console import Console

    below = io.BytesIO()
    out = io.TextIOWrapper(below, encoding=encoding, errors="backslashreplace")
    live = Live(Console(file=out, force_terminal=ansi, width=140, legacy_windows=False))
    for event in events():
        live(event)
    out.flush()
    text = below.getvalue().decode(encoding)
    assert all(name in text for name in OUTCOMES)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    assert all(mark in plain for mark in marks)
    assert "\\u" not in text
    assert ("\x1b" in text) is ansi


def test_annotations_cannot_be_broken_out_of() -> None:
    """An error message with line breaks and workflow commands stays inside its annotation."""
    lines: list[str] = []
    annotate = actions.Annotations(lines.append)
    for event in events():
        annotate(event)
    assert lines[0] == "::warning title=tag::look | out"
    assert lines[1].startswith("::error title=pypi::other bytes: evil second line. Next: use the next")
    assert all("\n" not in line for line in lines)
    assert len(lines) == 2


def test_each_failed_test_is_annotated() -> None:
    """Every failed test has an annotation at its line, and its text stays inside of it."""
    lines: list[str] = []
    error = CheckFailed(
        "2 failed\nthe whole log",
        next_step=NextStep("look"),
        failures=(
            FailedAt("t::a[1,2]", "assert 1 == 2\n::set-output x=y\x1b[0m\n  where 1", "pkg/tests/a.py", 7),
            FailedAt("t::b", ""),
        ),
    )
    actions.Annotations(lines.append)(StageEnded(stage="prove-dists", outcome=Failed(error), seconds=1.0))
    assert lines == [
        "::error title=prove-dists::2 failed the whole log. Next: look",
        "::error file=pkg/tests/a.py,line=7,title=t%3A%3Aa[1%2C2]::assert 1 == 2%0A::set-output x=y%0A  where 1",
        "::error title=t%3A%3Ab::failed",
    ]


def test_a_failed_build_is_annotated_at_its_line() -> None:
    """The annotation of an error in a Dockerfile has its file and line."""
    lines: list[str] = []
    error = BuildFailed("no such file", next_step=NextStep("fix it"), file="docker/Dockerfile", line=7)
    actions.Annotations(lines.append)(StageEnded(stage="images", outcome=Failed(error), seconds=1.0))
    assert lines == ["::error file=docker/Dockerfile,line=7,title=images::no such file. Next: fix it"]


def test_the_summary_holds_proofs_and_the_next_step(tmp_path: Path) -> None:
    """The job summary has the stages, the proofs with their digests, and the next step after a failure."""
    path = tmp_path / "summary.md"
    ended = next(event for event in events() if isinstance(event, RunEnded))
    actions.write_summary(path, replace(ended.report, documents={"manifest.json": "f" * 64}))
    text = path.read_text()
    assert "| manifest.json | " + "f" * 64 + " |" in text
    assert "| tests | not tested |" in text
    assert "| demo-1.0-py3-none-any.whl | " + "b" * 64 + " |" in text
    assert "**pypi failed.** Next: use the next" in text


@pytest.mark.parametrize("why", ["images are released on Linux only, and this is macOS", "as requested"])
def test_what_is_left_out_is_in_the_summary_and_in_json(why: str) -> None:
    """A program and a person read what the run did without, and why; otherwise neither has a word of it."""
    without = replace(report(), left_out=(LeftOut(what="the image ghcr.io/a/b", why=why),))
    written = document.document(without, world="local", rehearsal=True, ceiling="final")

    assert [(each.what, each.why) for each in written.left_out] == [("the image ghcr.io/a/b", why)]
    assert f"### Left out\n\n| what | why |\n| --- | --- |\n| the image ghcr.io/a/b | {why} |" in actions.summary(
        without
    )
    assert "Left out" not in actions.summary(report())


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("![x](https://evil.example/x.png)", r"!\[x\](https://evil.example/x.png)"),
        ("[docs](https://evil.example)", r"\[docs\](https://evil.example)"),
        ("<img src=x>\n<!--", r"\<img src=x> \<!--"),
        ("a | b \\| c", r"a \| b \\\| c"),
        ("`code` **bold**", r"\`code\` \*\*bold\*\*"),
        ("- &lt;b>", r"\- \&lt;b>"),
        ("one\r\n| two |\n## three", r"one \| two \| ## three"),
    ],
)
def test_text_from_outside_is_plain_in_the_summary(text: str, cell: str) -> None:
    """A warning of a server adds no picture, link, HTML, heading or row."""
    stage = StageReport(
        info=StageInfo(name="pypi", reach=Reach.FINAL, advisory=False), outcome=Skipped(text), seconds=1.0, plan=""
    )
    written = actions.summary(Report(stages=(stage,), warnings=(), seconds=1.0))
    assert written.splitlines()[4] == f"| pypi | skipped | 1.0 s | {cell} |"


def test_outputs_are_one_line_each(tmp_path: Path) -> None:
    """A value with a line break does not add a second output."""
    path = tmp_path / "out"
    actions.write_outputs(path, {"tag": "v1\nevil=1", "version": "1.0"})
    assert path.read_text() == "tag=v1 evil=1\nversion=1.0\n"


def test_a_run_as_json_matches_its_schema() -> None:
    """The document of ``--json`` validates against the published schema, and is marked as a rehearsal."""
    import jsonschema  # takes 2 s, so not while tests are collected
    import msgspec

    written = document.document(report(), world="local", rehearsal=True, ceiling="final")
    data = json.loads(msgspec.json.encode(written))
    jsonschema.validate(data, document.schema())
    assert data["rehearsal"] is True
    assert data["version"] == "1.0"
    assert [s["state"] for s in data["stages"]] == ["made", "found", "made", "failed", "skipped", "planned"]
    assert data["stages"][3]["exit_code"] == 9


def test_the_findings_of_access_in_json() -> None:
    """Each finding keeps its keys; ``standing`` says whether it is proven."""
    found = Finding(surface="pypi", certainty=Certainty.UNPROVEN, detail="login from keyring", proven_by="pypi")
    access = StageReport(
        info=StageInfo(name="access", reach=Reach.READS, advisory=False),
        outcome=Made(Access(findings=(found,))),
        seconds=1.0,
        plan="check logins",
    )
    run = Report(stages=(access,), warnings=(), seconds=1.0)
    written = document.document(run, world="local", rehearsal=True, ceiling="final")
    expected = {"surface": "pypi", "standing": "unproven", "detail": "login from keyring", "proven_by": "pypi"}
    assert [asdict(each) for each in written.access] == [expected]


def test_json_lines_are_json() -> None:
    """Every event is one JSON object on one line, with its name."""
    lines: list[str] = []
    listener = document.JsonLines(lines.append)
    for event in events():
        listener(event)
    names = [json.loads(line)["event"] for line in lines]
    assert names[:2] == ["RunStarted", "StageStarted"]
    assert set(names) == {"RunStarted", "StageStarted", "StageSaid", "StageWarned", "StageEnded", "RunEnded"}


@pytest.mark.parametrize(
    ("outcome", "record"),
    [
        (Made(product=1), {"outcome": "made", "product": 1}),
        (Found(product=1), {"outcome": "found", "product": 1}),
        (Planned(plan="do it"), {"outcome": "planned", "plan": "do it"}),
        (Skipped(why="no"), {"outcome": "skipped", "why": "no"}),
        (
            Failed(BAD),
            {
                "outcome": "failed",
                "kind": "conflict",
                "error": str(BAD),
                "next": BAD.next_step,
                "retryable": False,
                "advice": ("x",),
            },
        ),
    ],
)
def test_the_journal_and_json_have_stable_names_for_outcomes(outcome: Outcome, record: dict[str, object]) -> None:
    """The name of an outcome does not depend on the name of its class."""
    assert outcome_record(outcome) == record
    assert document.state(outcome) == record["outcome"]


def test_published_stages_are_listed() -> None:
    """After a failure, the stages that published something are listed, and so is the failed one."""
    assert words.already_published(report()) == ("testpypi: 1 file on testpypi",)
    assert [each.info.name for each in words.failures(report())] == ["pypi"]


@pytest.mark.parametrize(
    ("stage", "begun", "named"), [("pypi", True, True), ("pypi", False, False), ("dists", True, False)]
)
def test_a_failed_upload_may_have_published_a_part(stage: str, begun: bool, named: bool) -> None:  # noqa: FBT001
    """A stage that failed after it had begun to upload is listed."""
    reach = Reach.FINAL if stage == "pypi" else Reach.LOCAL
    info = StageInfo(name=stage, reach=reach, advisory=False)
    broken = StageReport(info=info, outcome=Failed(BAD, begun=begun), seconds=1.0, plan="do it")
    published = words.already_published(Report(stages=(broken,), warnings=(), seconds=1.0))
    assert published == ((f"{stage}: possibly in part, see its error",) if named else ())


def test_the_sample_error_is_an_unmoor_error() -> None:
    """The error in the sample run is one that unmoor raises."""
    assert isinstance(BAD, UnmoorError)
