"""Every id of the catalogue has a walk, or a reason why it cannot be walked on a small project."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

from tests.support.advice_walks import Walk, ids_of

from unmoor import advice

HERE = Path(__file__).parent
WALKED = tuple(path.stem for path in sorted(HERE.glob("test_*.py")) if path.stem != Path(__file__).stem)

REASONS: Mapping[str, str] = {
    "the renderer says it: tests/test_errors.py has every form": "run-again wait",
    "it needs a container engine, with images or a fault of its own": """
        name-image-to-clean
        print-less
        push-images-again
        """,
    "another server answers so: its operator, or its page on the web, has the remedy": """
        give-credential
        give-uv-a-login
        """,
    "the surfaces hold something else: tests/stages and tests/journeys release into such a world": """
        finish-release
        look-at-pages
        pass-sha256-of-manifest
        pass-sha256-or-next-version
        release-it
        remove-rest-by-hand
        """,
    "somebody else changes a surface or a folder during the run, and only they know why": """
        find-who-removed
        start-world-again
        """,
    "a build or a test of a project meets it: tests/dists, tests/stages and tests/journeys run some": """
        allow-more-time
        correct-dependencies
        fix-what-pip-reports
        fix-what-uv-reports
        raise-deadline
        replace-version-link
        """,
    "tests/journeys/test_advised.py follows it in rehearsals": "commit-changes",
    "it needs git with another program, another user, or a repository of an unusual kind": """
        take-ownership
        """,
    "this machine lacks something that a test cannot take away": """
        check-program
        check-uv
        close-connections
        free-space
        free-space-for-traceback
        grant-permission
        install-unmoor-again
        see-log
        stop-other-world
        use-more-memory
        """,
    "it takes seconds or much text to bring about": "avoid-nested-repetition check-docutils shorten-fragment",
    "it is a bug, or an older or newer unmoor": "report-bug report-it report-with-traceback use-version-that-wrote-it",
    "the command line asks the engine or the forge first": "name-pull-request name-repository",
}
"""Why an id has no walk. A sentence here is no excuse for advice that can be followed in a second."""


def walks() -> Iterator[tuple[str, Walk]]:
    """Every walk, with the id of the advice that it follows."""
    for name in WALKED:
        rows: Mapping[str, Walk] = importlib.import_module(f"tests.advice.{name}").WALKS
        yield from ((one, each) for row, each in rows.items() for one in sorted(ids_of(row)))


def walked() -> set[str]:
    """Every id with a walk."""
    return {name for name, _ in walks()}


def test_every_id_is_walked_or_has_a_reason() -> None:
    """New advice needs a row in one of the tables here, so that somebody follows it once."""
    reasons = [each for ids in REASONS.values() for each in ids.split()]
    ids = {entry.id for entry in advice.catalogue()}
    assert ids - walked() - set(reasons) == set()
    assert set(reasons) - ids == set()
    assert set(reasons) & walked() == set()
    assert len(reasons) == len(set(reasons))


def test_every_walk_has_an_id() -> None:
    """A row for an id that is gone would follow nothing."""
    assert walked() - {entry.id for entry in advice.catalogue()} == set()


def test_no_advice_leads_in_a_circle() -> None:
    """Where a walk ends in another error, following the advice of that never leads back to the first."""
    onward: dict[str, set[str]] = {}
    for name, each in walks():
        onward.setdefault(name, set()).update({each.then} - {""})
    assert list(TopologicalSorter(onward).static_order())
    assert {then for each in onward.values() for then in each} - walked() == set()
