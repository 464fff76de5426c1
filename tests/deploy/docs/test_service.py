"""Read the Docs builds the tag: what counts as done, and what happens when it refuses, fails or says nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.local_docs import LocalDocs, start_docs

from unmoor.errors import BuildFailed, Conflict, Denied, Refused, TimedOut, Unknown, UnmoorError
from unmoor.rehearsal.readthedocs.app import DocsMood
from unmoor.util.values import replace

TRIGGER = "POST versions/v1.0/builds/"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDocs]:
    """One server for this module."""
    with start_docs(tmp_path_factory.mktemp("docs")) as docs:
        yield docs


@pytest.fixture
def docs(running: LocalDocs) -> LocalDocs:
    """The server, as if it were new."""
    running.reset()
    return running


def test_a_build_is_begun_once_awaited_and_found(docs: LocalDocs) -> None:
    """Nothing is there at first; a second deployment finds the build of this commit and begins none."""
    deployment = docs.deployment()
    assert deployment.find(docs.release) is None
    version = deployment.deploy(docs.release)

    assert version.address == f"{docs.address}/tide/en/v1.0/"
    assert deployment.find(docs.release) == version
    assert deployment.deploy(docs.release) == version
    assert docs.sent() == [TRIGGER]
    assert deployment.find(replace(docs.release, commit="b" * 40)) is None


@pytest.mark.parametrize(
    ("mood", "sent"),
    [
        (DocsMood.UNHEARD, ["POST sync-versions/", TRIGGER]),
        (DocsMood.INACTIVE, ["PATCH versions/v1.0/"]),
    ],
    ids=["unheard", "inactive"],
)
def test_what_the_service_has_to_learn_first(docs: LocalDocs, mood: DocsMood, sent: list[str]) -> None:
    """It looks for the tag, and activates a version, whose build then is the one to wait for."""
    docs.reset(mood)
    docs.deployment().deploy(docs.release)

    assert docs.sent() == sent


@pytest.mark.parametrize(
    ("mood", "kind", "said"),
    [
        (DocsMood.FAILS, BuildFailed, "sphinx-build ended with 1"),
        (DocsMood.OTHER_COMMIT, Conflict, "is of commit"),
        (DocsMood.STUCK, TimedOut, "has not finished"),
    ],
    ids=["fails", "other-commit", "stuck"],
)
def test_builds_that_prove_nothing(docs: LocalDocs, mood: DocsMood, kind: type[UnmoorError], said: str) -> None:
    """Finished is not success, and success may be of another commit; the same command goes on afterwards."""
    docs.reset(mood)

    with pytest.raises(kind, match=said) as failed:
        docs.deployment().deploy(docs.release)
    assert failed.value.retryable
    assert docs.deployment().find(docs.release) is None


def test_a_lost_answer_begins_no_second_build(docs: LocalDocs) -> None:
    """The build that has begun all the same is found, and awaited."""
    docs.fail("lost-reply", "POST =/*")
    docs.deployment().deploy(docs.release)

    assert docs.sent() == [TRIGGER]


def test_a_busy_service_is_waited_for(docs: LocalDocs) -> None:
    """It says how long, and nothing is begun twice."""
    docs.fail("busy", "POST =/*")
    docs.deployment().deploy(docs.release)

    assert docs.sent() == [TRIGGER, TRIGGER]  # the first was refused
    assert docs.deployment().find(docs.release) is not None


@pytest.mark.parametrize("failure", ["down", "broken", "garbage"])
def test_what_cannot_be_read_is_never_taken_for_absent(docs: LocalDocs, failure: str) -> None:
    """Nothing is begun on a guess."""
    docs.fail(failure)

    with pytest.raises(Unknown):
        docs.deployment().deploy(docs.release)


def test_a_wrong_token(docs: LocalDocs) -> None:
    """The message names the variable, never the token."""
    with pytest.raises(Denied) as denied:
        docs.deployment("wrong-token").deploy(docs.release)
    assert "READTHEDOCS_TOKEN" in denied.value.next_step
    assert "wrong-token" not in denied.value.in_brief(where=True)


def test_a_tag_that_the_service_never_hears_of(docs: LocalDocs) -> None:
    """It looks, and then says what to check."""
    with pytest.raises(Refused, match=r"has not heard of the tag v2\.0"):
        docs.deployment().deploy(replace(docs.release, tag="v2.0"))
