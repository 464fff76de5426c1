"""Unmoor's additions to the rule language, and the rule sets in the documentation."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from unmoor.errors import ConfigError
from unmoor.images.tags import Plan, RepositoryFacts, TagContext, plan
from unmoor.util.values import replace

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SHA = "abcdef1234567890abcdef1234567890abcdef12"
MAIN = TagContext(
    ref="refs/heads/main",
    sha=SHA,
    event="push",
    now=NOW,
    default_branch="main",
    repository=RepositoryFacts(default_branch="main"),
)
PULL = replace(MAIN, ref="refs/pull/123/merge", event="pull_request")
TOPIC = replace(MAIN, ref="refs/heads/topic")
DEVELOPMENT = (
    "type=ref,event=branch",
    "type=ref,event=branch,suffix=-{{sha}}",
    "type=ref,event=pr",
    "type=pep440,pattern={{version}},prefix=v",
    "type=pep440,pattern={{major}}.{{minor}}",
    "type=pep440,pattern={{major}}",
    "type=raw,value=latest,enable={{is_default_branch}}",
)
PRODUCTION = (
    "type=ref,event=branch",
    "type=ref,event=pr",
    "type=pep440,pattern={{version}},prefix=v",
    "type=raw,value=prod,suffix=,enable={{is_default_branch}}",
)
RELEASE = (
    "type=pep440,pattern={{version}},prefix=v",
    "type=pep440,pattern={{major}}.{{minor}}",
    "type=pep440,pattern={{major}}",
    "type=sha",
)


def _tagged(name: str) -> TagContext:
    return replace(MAIN, ref=f"refs/tags/{name}")


def _tags(rules: tuple[str, ...], context: TagContext, *flavor: str) -> tuple[str, ...]:
    return plan(rules, flavor, ["ghcr.io/owner/name"], context).tag_names


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (MAIN, ("main", "main-abcdef1", "latest")),
        (TOPIC, ("topic", "topic-abcdef1")),
        (PULL, ("pr-123",)),
        (_tagged("v1.0.0"), ("v1.0.0", "1.0", "1")),
        (_tagged("v1.0.0rc1"), ("v1.0.0rc1", "1.0.0rc1")),
    ],
    ids=["main", "topic", "pull request", "release", "release candidate"],
)
def test_the_rules_of_a_development_image(context: TagContext, expected: tuple[str, ...]) -> None:
    """Branch, pull request, version, commit; latest on the default branch only."""
    assert _tags(DEVELOPMENT, context, "latest=false") == expected


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (MAIN, ("main-prod", "prod")),
        (TOPIC, ("topic-prod",)),
        (PULL, ("pr-123-prod",)),
        (_tagged("v1.0.0"), ("v1.0.0-prod",)),
    ],
    ids=["main", "topic", "pull request", "release"],
)
def test_the_rules_of_a_production_image(context: TagContext, expected: tuple[str, ...]) -> None:
    """The flavor adds a suffix; prod is an additional tag."""
    assert _tags(PRODUCTION, context, "latest=false", "suffix=-prod") == expected


def test_the_rules_of_a_release() -> None:
    """By default, the version's tag is fixed; its series and latest float."""
    planned = plan(RELEASE, [], ["ghcr.io/Owner/Name"], _tagged("v1.2.3"))
    assert planned.fixed == ("v1.2.3", "sha-abcdef1")
    assert planned.floating == ("1.2", "1", "latest")
    assert planned.tags_of("x/y")[0] == "x/y:v1.2.3"
    assert planned.images == ("ghcr.io/owner/name",)


def test_the_documentation_shows_these_rules() -> None:
    """The reference has each rule set as it is tested here."""
    page = (ROOT / "docs" / "reference" / "image-tags.md").read_text("utf-8")
    for rules in (DEVELOPMENT, PRODUCTION, RELEASE):
        assert "\n".join(rules) in page


@pytest.mark.parametrize(
    ("rule", "tag", "expected"),
    [
        ("type=pep440,pattern={{major}}.{{minor}}", "v1.2.post1", ("1.2", "latest")),
        ("type=pep440,pattern={{major}}.{{minor}}.{{patch}}", "v1.2.3.post1", ("1.2.3.post1", "latest")),
        ("type=pep440,pattern={{version}}", "v1.2.post1.dev1", ("1.2.post1.dev1",)),
    ],
)
def test_a_post_release_is_final(rule: str, tag: str, expected: tuple[str, ...]) -> None:
    """It gets the tags of its series, but never that of the release it follows."""
    assert _tags((rule,), _tagged(tag)) == expected


def test_a_post_release_need_not_be_final() -> None:
    """Without the option it is handled as in the original."""
    planned = plan([RELEASE[1]], [], [], _tagged("v1.2.post1"), post_is_final=False)
    assert planned.tag_names == ("1.2.post1",)


def test_zero_alone_is_no_series() -> None:
    """A version before 1.0 has no major tag, with any prefix or suffix."""
    rules = ("type=pep440,pattern={{version}}", "type=pep440,pattern={{major}}", "type=semver,pattern=v{{major}}")
    assert _tags(rules, _tagged("v0.3.1"), "suffix=-prod") == ("0.3.1-prod", "latest")
    with pytest.raises(ConfigError, match="0 alone"):
        _tags(("type=pep440,pattern={{major}}",), _tagged("v0.3.1"))


@pytest.mark.parametrize(
    ("context", "expected"),
    [(MAIN, True), (TOPIC, False), (PULL, False), (_tagged("v1.0.0"), False)],
    ids=["main", "topic", "pull request", "release"],
)
def test_latest_may_belong_to_the_default_branch(context: TagContext, *, expected: bool) -> None:
    """With the option only that branch gets it, whatever the flavor says."""
    rules = ("type=ref,event=branch", "type=ref,event=pr", "type=ref,event=tag")
    planned = plan(rules, ["latest=true"], [], context, latest_on_default_branch=True)
    assert planned.latest is expected
    assert ("latest" in planned.tag_names) is expected


def test_warnings() -> None:
    """An unknown attribute, an invalid version, and a pattern that does not match cause warnings."""
    planned = plan(
        ["type=raw,x,colour=red", "type=semver,pattern={{version}}", "type=match,pattern=^a"], [], [], _tagged("beta")
    )
    assert planned.tag_names == ("x",)
    assert any("'colour'" in warning for warning in planned.warnings)
    assert any("Semantic Versioning" in warning for warning in planned.warnings)
    assert any("does not match" in warning for warning in planned.warnings)


def test_no_tag_at_all_says_why_for_each_rule() -> None:
    """The error names the ref, the event and the reason of every rule."""
    with pytest.raises(ConfigError) as caught:
        plan(["type=semver,pattern={{version}}", "type=edge,branch=dev", "type=raw,x,enable=false"], [], [], MAIN)
    message = str(caught.value)
    assert "'refs/heads/main'" in message
    assert "'push'" in message
    assert "the ref is not a tag" in message
    assert "not the branch 'dev'" in message
    assert "not enabled" in message


@pytest.mark.parametrize(
    ("rule", "column"),
    [
        ("type=raw,value=a-{{brnach}}", 18),
        ("type=raw,a,prefix={{date 'YYYY' tz='Nowhere/Land'}}", 19),
        ("type=raw,a,enable={{branch}}", 19),
        (r"type=match,value=x,pattern=a\p{L}", 29),
        ("type=sha,format=medium", 10),
        ("type=raw,a,priority=high", 12),
        ('type=raw,va"lue=x', 12),
        (r"type=raw,value=a\{{sha}}", 17),
        ("type=raw,value={{'sha'}}", 18),
        ("type=raw,value={{sha %}}", 22),
        ("type=raw,value={{date tz=}}", 26),
        ("type=raw,value={{date 'YYYY' 'MM'}}", 16),
        ("type=raw,value={{date 'YYYY' tz=UTC}}", 16),
    ],
)
def test_an_error_names_the_column(rule: str, column: int) -> None:
    """The error names the rule, its text, the column, and what to write instead."""
    with pytest.raises(ConfigError) as caught:
        plan(["type=raw,first", f"\n# a comment\n\n{rule}"], [], [], MAIN)
    assert caught.value.where.startswith("rule 2, ")
    assert caught.value.where.endswith(f", column {column}")
    assert caught.value.next_step


@pytest.mark.parametrize(
    "rule",
    [
        "type=semver,pattern={{majro}}",
        "type=pep440,pattern={{raw",
        "type=pep440,pattern={{version}},match=(",
        "type=match,pattern=/a/q",
        "type=schedule,pattern={{branch}}",
        "type=ref,event=tag,prefix={{x}}",
        "type=raw,value={{x}},enable=false",
    ],
)
def test_a_mistake_fails_on_every_event(rule: str) -> None:
    """A mistake fails on a branch already, not only on the release; with compat only on the release."""
    with pytest.raises(ConfigError, match="rule 2"):
        plan(["x", rule], [], [], MAIN)
    assert plan(["x", rule], [], [], MAIN, compat=True).tag_names == ("x",)


def test_an_error_in_the_flavor_names_the_column() -> None:
    """The error names the line of the flavor, not the rule that uses it."""
    with pytest.raises(ConfigError) as caught:
        plan(["x"], ["latest=false", "suffix=-{{brnach}}"], [], MAIN)
    assert caught.value.where == "flavor 2, 'suffix=-{{brnach}}', column 9"


@pytest.mark.parametrize(
    "rules",
    [["x" * 5000], ["x\n" * 501], [f"type=raw,{'y' * 129}"]],
    ids=["a long line", "many lines", "a long tag"],
)
def test_limits(rules: list[str]) -> None:
    """The length of a line, the number of lines and the length of a tag have limits."""
    with pytest.raises(ConfigError, match="but the limit is"):
        plan(rules, [], [], MAIN)


def test_a_tag_may_have_128_characters() -> None:
    """The limit itself is fine."""
    assert len(_tags((f"type=raw,{'y' * 128}",), MAIN)[0]) == 128


def test_the_document_has_the_keys_of_the_original_and_more() -> None:
    """The JSON has the original's keys, and version, fixed and floating."""
    planned: Plan = plan(["type=ref,event=tag"], [], ["a/b"], _tagged("v1.2.3"), annotations=["k=v"], levels=["index"])
    document = planned.document()
    assert list(document) == ["version", "tags", "tag-names", "labels", "annotations", "fixed", "floating"]
    assert document["annotations"][0] == "index:k=v"
    assert document["tags"] == ["a/b:v1.2.3", "a/b:latest"]


def test_non_printable_labels_are_refused() -> None:
    """A label is one printable line."""
    with pytest.raises(ConfigError, match="non-printable character"):
        plan(["x"], [], [], MAIN, labels=["a=\x1b[2J"])
