"""How a run ends: with one message if its folder is removed, and with what was not tested."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.unused_services import unused_pipeline

from unmoor.advice import NextStep
from unmoor.artifacts.run_dir import RunFolder
from unmoor.cli import output
from unmoor.cli.session import Workspace, _with_manifest
from unmoor.config.settings import Settings
from unmoor.core.events import LeftOut, Report, StageInfo, StageReport
from unmoor.core.outcome import Failed, Made
from unmoor.core.pipeline import Pipeline
from unmoor.core.scheduler import Run
from unmoor.core.stage import Build, Reach, StageContext
from unmoor.errors import Denied, Interrupted
from unmoor.products import CheckedDists, Dists, Draft, File, Proof, Result, Signed, Verdict, Verified
from unmoor.products.signatures import BY_HAND
from unmoor.util.values import replace


def nothing(_: Path) -> None:
    """Leave the folder as it is."""


@dataclass(frozen=True, kw_only=True)
class Reading(Build[str]):
    """A stage that reads its file, after something happened to the folder."""

    folder: Path
    happened: threading.Event
    happens: Callable[[Path], object] | None = None
    error: Exception | None = None

    def plan(self) -> str:
        """Say what it reads."""
        return f"read {self.name}"

    def find(self, context: StageContext) -> str | None:
        """Find nothing."""
        del context
        return None

    def make(self, context: StageContext) -> str:
        """Read."""
        del context
        if self.happens is not None:
            self.happens(self.folder)
            self.happened.set()
        self.happened.wait(10)
        if self.error is not None:
            raise self.error
        return (self.folder / "dists" / "one.whl").read_text()


def moved_away(folder: Path) -> None:
    """Rename the folder, and put a new one in its place."""
    folder.rename(folder.with_name("elsewhere"))
    folder.mkdir()


@pytest.mark.parametrize(
    ("happens", "error", "code", "said"),
    [
        (lambda path: shutil.rmtree(path.parent), None, 4, "somebody removed it"),
        (shutil.rmtree, None, 4, "somebody removed it"),
        (moved_away, None, 4, "somebody removed it"),
        (lambda path: shutil.rmtree(path / "dists"), None, 4, "somebody removed it"),
        (shutil.rmtree, ValueError("a bug, it seems"), 4, "somebody removed it"),
        (shutil.rmtree, Denied("the token is wrong", next_step=NextStep("give another")), 5, "the token is wrong"),
        (nothing, ValueError("a bug"), 70, "a bug"),
    ],
)
def test_a_folder_that_is_removed_under_a_run_is_one_message(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    happens: Callable[[Path], object],
    error: Exception | None,
    code: int,
    said: str,
) -> None:
    """Every stage that fails of it gives the same reason, which is printed once. What a server said stays."""
    folder = RunFolder.of(tmp_path, "v1.0")
    folder.dists.mkdir(parents=True)
    with Workspace(folder) as workspace:
        happened = threading.Event()
        first = Reading(name="first", folder=folder.path, happened=happened, happens=happens, error=error)
        second = Reading(name="second", folder=folder.path, happened=happened, error=error)
        report = Run(
            pipeline=Pipeline((first, second)),
            world="toy",
            rehearsal=True,
            ceiling=Reach.LOCAL,
            enter_workspace=workspace.enter,
            lost=workspace.lost,
        ).execute()
    assert output.print_ending(report, ceiling=Reach.LOCAL, next_command="x") == code
    printed = capsys.readouterr().err
    assert printed.count(said) == printed.count("error: ") == 1
    assert "first, second failed" in printed


SUITE = Result(name="a.whl: tests", verdict=Verdict.NOT_TESTED, detail="pytest found no test to run")
IMPORT = Result(name="a.whl: imports", verdict=Verdict.PASSED)


@pytest.mark.parametrize(
    ("results", "verified", "line", "rows"),
    [
        ((IMPORT,), True, "rehearsal passed: every surface holds v1, verified by digest", 0),
        (
            (IMPORT, SUITE),
            True,
            "rehearsal passed: every surface holds v1, verified by digest; not tested: a.whl: tests",
            1,
        ),
        ((IMPORT, SUITE), False, "not tested: a.whl: tests", 1),
        ((IMPORT,), False, "", 0),
        (
            tuple(replace(SUITE, name=f"{n}") for n in range(5)),
            False,
            "not tested: 0, 1, 2 and 2 more",
            5,
        ),
    ],
)
def test_what_was_not_tested_is_said_at_the_end(
    results: tuple[Result, ...], *, verified: bool, line: str, rows: int
) -> None:
    """It is named in the last line, and stands below the table with the reason. Two stages that say it say it once."""
    proof = Proof(name="prove-dists", subjects=(), results=results)
    products = {"prove-dists": proof, "prove-testpypi": proof, **({"verify": Verified(held=())} if verified else {})}
    stages = tuple(
        StageReport(
            info=StageInfo(name=name, reach=Reach.READS, advisory=False), outcome=Made(product), seconds=0.0, plan=""
        )
        for name, product in products.items()
    )
    report = Report(stages=stages, warnings=(), seconds=0.0)
    assert output.conclusion(report, tag="v1", rehearsal=True) == line
    local = Made(CheckedDists(subjects=(), local=("a-linux_x86_64.whl",)))
    checked = StageReport(
        info=StageInfo(name="check-dists", reach=Reach.READS, advisory=False), outcome=local, seconds=0.0, plan=""
    )
    told = output.conclusion(replace(report, stages=(checked, *stages)), tag="v1", rehearsal=True)
    assert told.endswith("for this machine only, so PyPI refuses it: a-linux_x86_64.whl")
    assert told.startswith(line)
    table = output.table(report)
    assert len(table) == (rows + 1 if rows else 0)
    assert all(each.endswith("pytest found no test to run") for each in table[1:])


@pytest.mark.parametrize(
    ("names", "line"),
    [
        ((), ""),
        (("the image ghcr.io/a/b",), "left out: the image ghcr.io/a/b"),
        (tuple("abcde"), "left out: a, b, c and 2 more"),
    ],
)
def test_what_was_left_out_is_said_at_the_end(names: tuple[str, ...], line: str) -> None:
    """It is named in the last line, with the tests that did not run, and stands below the table with the reason."""
    proof = Made(Proof(name="prove-dists", subjects=(), results=(SUITE,)))
    info = StageInfo(name="prove-dists", reach=Reach.READS, advisory=False)
    left_out = tuple(LeftOut(what=name, why="this is Windows") for name in names)
    stages = (StageReport(info=info, outcome=proof, seconds=0.0, plan=""),)
    report = Report(stages=stages, warnings=(), seconds=0.0, left_out=left_out)

    told = output.conclusion(report, tag="v1", rehearsal=True)

    assert told == "; ".join(filter(None, (line, "not tested: a.whl: tests")))
    assert [row.endswith("this is Windows") for row in output.table(report)].count(True) == len(names)
    assert any(row.startswith("left out ") for row in output.table(report)) is bool(names)


@pytest.mark.parametrize(("rehearsal", "words"), [(True, "a rehearsal starts afresh"), (False, "it continues from")])
def test_a_stopped_run_says_what_the_next_one_does(
    capsys: pytest.CaptureFixture[str], *, rehearsal: bool, words: str
) -> None:
    """Only a release continues from what is already there."""
    stage = StageReport(
        info=StageInfo(name="dists", reach=Reach.LOCAL, advisory=False),
        outcome=Failed(Interrupted("stopped")),
        seconds=0.0,
        plan="",
    )
    report = Report(stages=(stage,), warnings=(), seconds=0.0)
    assert output.print_ending(report, ceiling=Reach.FINAL, next_command="x", rehearsal=rehearsal) == 130
    assert f"run the same command again: {words}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("decisions", "signed", "why", "line"),
    [
        ((), Signed(), "", ""),
        ((), None, "", ""),
        ((), Signed(why_not="the repository is private"), "", "nothing is signed: the repository is private"),
        (
            (),
            Signed(bundles=(File(name="a", sha256="", size=0, path=Path()),), why_not="this run is of main"),
            "",
            "not everything is signed: this run is of main",
        ),
        ((), None, "no CI gives this process an identity", "this run signed nothing: no CI gives this process an"),
        ((BY_HAND,), None, "no CI gives this process an identity", BY_HAND),
        ((BY_HAND,), Signed(why_not="the manifest says so"), "", BY_HAND),
    ],
)
def test_what_is_unsigned_is_said_once_at_the_end(
    decisions: tuple[str, ...], signed: Signed | None, why: str, line: str
) -> None:
    """Of a run that sent something; one that only built or looked has left nothing unsigned."""
    products: dict[str, object] = {"dists": Dists(files=(), decisions=decisions), "sign": signed}
    sent = {"draft": Draft(id=1, tag="v1", url="", assets=())}

    def conclusion(products: dict[str, object]) -> str:
        stages = tuple(
            StageReport(
                info=StageInfo(name=name, reach=Reach.READS, advisory=False), outcome=Made(each), seconds=0.0, plan=""
            )
            for name, each in products.items()
            if each is not None
        )
        report = Report(stages=stages, warnings=(), seconds=0.0)
        return output.conclusion(report, tag="v1", rehearsal=False, unsigned=why)

    assert conclusion(products | sent).startswith(line)
    assert bool(conclusion(products | sent)) is bool(line)
    assert conclusion(products) == ""


@pytest.mark.parametrize(
    ("until", "more"),
    [(("prove-dists",), {"rebuild", "sbom"}), (("check-dists",), set()), ((), set()), (("draft",), set())],
)
def test_what_completes_the_manifest_is_made_with_it(until: tuple[str, ...], more: set[str]) -> None:
    """Who asks for the proof of the files gets what else the manifest lists, unless the settings turn it off."""
    assert set(_with_manifest(until, unused_pipeline(Settings()))) == {*until, *more}
    turned_off = unused_pipeline(Settings(reproducible="off", sbom="off"))
    assert _with_manifest(until, turned_off) == until
