"""The steps that make the schema of the database of records, and what its columns mean.

A step that was released never changes: a new one is added at the end, with the columns in `DESCRIPTIONS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

APPLICATION: Final = 0x756E6D72
"""``PRAGMA application_id`` of our databases: the letters ``unmr``."""

_TABLES: Final = (
    """CREATE TABLE runs (
        id INTEGER NOT NULL, attempt INTEGER NOT NULL, workflow TEXT NOT NULL, name TEXT NOT NULL, event TEXT NOT NULL,
        branch TEXT NOT NULL, commit_id TEXT NOT NULL, pull_request INTEGER NOT NULL, created TEXT NOT NULL,
        started TEXT, conclusion TEXT NOT NULL, url TEXT NOT NULL, PRIMARY KEY (id, attempt))""",
    """CREATE TABLE jobs (
        id INTEGER NOT NULL PRIMARY KEY, run INTEGER NOT NULL, attempt INTEGER NOT NULL, workflow TEXT NOT NULL,
        name TEXT NOT NULL, commit_id TEXT NOT NULL, event TEXT NOT NULL, created TEXT, started TEXT, completed TEXT,
        seconds REAL, queued REAL, conclusion TEXT NOT NULL)""",
    """CREATE TABLE benchmarks (
        commit_id TEXT NOT NULL, at TEXT NOT NULL, name TEXT NOT NULL, unit TEXT NOT NULL, value REAL NOT NULL,
        rounds INTEGER NOT NULL, machine TEXT NOT NULL, PRIMARY KEY (commit_id, name, unit, machine, at))""",
    """CREATE TABLE coverage (
        commit_id TEXT NOT NULL PRIMARY KEY, at TEXT NOT NULL, covered INTEGER NOT NULL, lines INTEGER NOT NULL,
        branches_covered INTEGER, branches INTEGER)""",
    """CREATE TABLE tests (
        commit_id TEXT NOT NULL, at TEXT NOT NULL, suite TEXT NOT NULL, passed INTEGER NOT NULL,
        failed INTEGER NOT NULL, skipped INTEGER NOT NULL, seconds REAL NOT NULL, PRIMARY KEY (commit_id, suite))""",
    """CREATE TABLE findings (
        commit_id TEXT NOT NULL, at TEXT NOT NULL, tool TEXT NOT NULL, errors INTEGER NOT NULL,
        warnings INTEGER NOT NULL, notes INTEGER NOT NULL, PRIMARY KEY (commit_id, tool))""",
    """CREATE TABLE releases (
        id INTEGER NOT NULL PRIMARY KEY, tag TEXT NOT NULL, at TEXT NOT NULL, prerelease INTEGER NOT NULL)""",
    """CREATE TABLE updates (
        number INTEGER NOT NULL PRIMARY KEY, title TEXT NOT NULL, author TEXT NOT NULL, created TEXT NOT NULL,
        closed TEXT, merged TEXT, ecosystem TEXT NOT NULL, security INTEGER)""",
)
_INDEXES: Final = (
    "CREATE INDEX runs_by_time ON runs (workflow, created)",
    "CREATE INDEX jobs_by_run ON jobs (run, attempt)",
    "CREATE INDEX jobs_by_name ON jobs (workflow, name, started)",
    "CREATE INDEX benchmarks_by_name ON benchmarks (name, unit, at)",
)
_FETCHED: Final = (
    "CREATE TABLE fetched (at TEXT NOT NULL PRIMARY KEY, since TEXT, until TEXT, unfinished INTEGER NOT NULL)",
)
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (_TABLES, _INDEXES, _FETCHED)
"""The statements of each step; the number of steps is the version of the schema."""

_COMMIT: Final = "full id of the commit"
DESCRIPTIONS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "runs": (
        "Completed attempts of workflow runs.",
        {
            "id": "number of the run on the forge",
            "attempt": "1 for the first attempt, and one more each time the run was started again",
            "workflow": "path of the workflow's file",
            "name": "name of the workflow",
            "event": "what started it, such as `push`",
            "branch": "branch that it ran for; empty if the forge names none",
            "commit_id": _COMMIT,
            "pull_request": "1 if a pull request started it, so that the commit is of a merge that moves, else 0",
            "created": "when the run was created",
            "started": "when the attempt started",
            "conclusion": "`success`, `failure`, `cancelled`, `skipped`, `timed_out` or another word of the forge",
            "url": "page of the run",
        },
    ),
    "jobs": (
        "Jobs of all attempts.",
        {
            "id": "number of the job on the forge",
            "run": "number of its run",
            "attempt": "attempt of the run",
            "workflow": "path of the workflow's file",
            "name": "name of the job, with the values of its matrix",
            "commit_id": _COMMIT,
            "event": "what started the run",
            "created": "when the job was created",
            "started": "when a runner began",
            "completed": "when it ended",
            "seconds": "duration, from `started` to `completed`",
            "queued": "seconds from `created` to `started`, which are no part of the duration",
            "conclusion": "as in `runs`",
        },
    ),
    "benchmarks": (
        "Measured values.",
        {
            "commit_id": _COMMIT,
            "at": "when it was measured",
            "name": "name of the benchmark",
            "unit": "`s` or `bytes`",
            "value": "median of the rounds",
            "rounds": "how many rounds were measured",
            "machine": "what it was measured on; empty if unknown",
        },
    ),
    "coverage": (
        "What the tests of a commit ran.",
        {
            "commit_id": _COMMIT,
            "at": "when it was measured",
            "covered": "lines that ran",
            "lines": "lines that can run",
            "branches_covered": "branches that were taken",
            "branches": "branches that there are",
        },
    ),
    "tests": (
        "Results of test suites.",
        {
            "commit_id": _COMMIT,
            "at": "when the tests began",
            "suite": "name of the suite",
            "passed": "tests that passed",
            "failed": "tests that failed or had an error",
            "skipped": "tests that were skipped",
            "seconds": "how long the suite took, or the sum of its tests if it does not say that",
        },
    ),
    "findings": (
        "How much a tool finds in a commit, without suppressed findings.",
        {
            "commit_id": _COMMIT,
            "at": "when the tool ran",
            "tool": "name of the tool",
            "errors": "findings of the level `error`",
            "warnings": "findings of the level `warning`",
            "notes": "findings of the levels `note` and `none`",
        },
    ),
    "releases": (
        "Published releases.",
        {
            "id": "number of the release on the forge",
            "tag": "its tag",
            "at": "when it was published",
            "prerelease": "1 if it is a pre-release, else 0",
        },
    ),
    "updates": (
        "Pull requests that update dependencies.",
        {
            "number": "number of the pull request",
            "title": "its title",
            "author": "who opened it, such as `dependabot[bot]`",
            "created": "when it was opened",
            "closed": "when it was closed or merged",
            "merged": "when it was merged",
            "ecosystem": "kind of dependency; empty if unknown",
            "security": "1 if it fixes a vulnerability, 0 if not",
        },
    ),
    "fetched": (
        "The last fetch of runs from the forge.",
        {
            "at": "when it ended",
            "since": "from here on, all completed runs are kept; NULL if none were read",
            "until": "up to here",
            "unfinished": "runs of that time that were not completed yet",
        },
    ),
}
"""For each table what its rows are, and what each column means."""
