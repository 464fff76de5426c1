"""``unmoor watch`` on the servers of a local world: what it finds, what mends it, and the one issue about it."""

from __future__ import annotations

import contextlib
import io
import json
import shlex
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from tests.cli import test_partial_states as states
from tests.support.one_fault import answer
from tests.support.partial_states import Part, Ran, start_parts

from unmoor.adapters.clock import MonotonicClock
from unmoor.cli.app import run
from unmoor.rehearsal.index.store import ARCHIVED, QUARANTINED

Fill = Callable[[Part], object]
EVER = ("--since", "2000-01-01")


def yanked(part: Part) -> None:
    """Somebody yanked a release."""
    states.public(part)
    manage(part, "post", part.version)


def deleted_file(part: Part) -> None:
    """Somebody deleted a file of a release on the index."""
    states.public(part)
    manage(part, "delete", part.files[0].name)


def deleted_tag(part: Part) -> None:
    """Somebody deleted the tag of a release on the remote."""
    states.public(part)
    part.delete_tag()


def archived(part: Part) -> None:
    """The index keeps a release of a project that is archived."""
    states.public(part)
    control(part, ARCHIVED)


def quarantined(part: Part) -> None:
    """The index shows no file of a project that is quarantined, although it has them."""
    states.public(part)
    control(part, QUARANTINED)


def stale_image(part: Part) -> None:
    """Somebody moved a floating tag to another image."""
    part.image("latest", version="0.9")
    part.image("sha", f"sha-{part.release.commit[:7]}", part.tag, part.version, "1")
    states.public(part)


def control(part: Part, name: str) -> None:
    """Name a project in a control file of the index."""
    with (part.at.running.folder / "pypi" / name).open("a", encoding="utf-8", newline="\n") as file:
        file.write(f"part{part.number}\n")


def manage(part: Part, method: str, what: str) -> None:
    """Do on the index what an owner does on the web."""
    running = part.at.running
    known = json.loads((running.folder / "credentials.json").read_text())
    answer = requests.request(
        method,
        f"{running.addresses['pypi']}/manage/part{part.number}/{what}",
        auth=("__token__", known["pypi"]),
        timeout=10,
    )
    assert answer.status_code == 204, answer.text


ROWS: Mapping[str, tuple[Fill, tuple[str, ...]]] = {
    "nothing": (states.nothing, ("not-released",)),
    "draft": (states.partial_draft, ("draft-left",)),
    "in part": (states.uploaded_in_part_known_here, ("stopped",)),
    "no release": (states.uploaded_without_release, ("stopped",)),
    "second draft": (states.public_and_a_draft, ("draft-left",)),
    "no asset": (states.public_without_an_asset, ("release-without-files",)),
    "no manifest": (states.public_without_a_manifest, ("release-without-files",)),
    "not uploaded": (states.public_alone, ("index-lacks-files",)),
    "moved tag": (states.moved_tag_of_a_release, ("tag-moved",)),
    "deleted tag": (deleted_tag, ("tag-gone",)),
    "yanked": (yanked, ("yanked",)),
    "deleted file": (deleted_file, ("index-lacks-files",)),
    "quarantined": (quarantined, ()),
    "archived": (archived, ()),
    "whole": (states.public, ()),
    "stale image": (stale_image, ("image-tag-stale", "latest-stale")),
}


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Part]]:
    """A world with a release in each of these states. The last one is the highest."""
    with start_parts(tmp_path_factory.mktemp("watch"), [name == "stale image" for name in ROWS]) as made:
        parts = dict(zip(ROWS, made, strict=True))
        for name, (fill, _) in ROWS.items():
            fill(parts[name])
        yield parts


def watch(part: Part, *args: str, config: str = "") -> Ran:
    """Run the command in the world of a part, in this process."""
    out, err = io.StringIO(), io.StringIO()
    where = ["--directory", str(part.at.repo.path), "--world", str(part.world_file)]
    if config:
        file = part.at.folder / "settings.toml"
        file.write_text(f'repository = "acme/demo"\n{config}', encoding="utf-8")
        where += ["--config", str(file)]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(["watch", *args, *where])
    return Ran(code, out.getvalue(), err.getvalue())


def found_in(ran: Ran) -> dict[str, set[str]]:
    """The ids of the findings of each tag."""
    found: dict[str, set[str]] = {}
    for each in ran.json["findings"]:
        found.setdefault(each["tag"], set()).add(each["finding"])
    return found


def test_each_state_is_found_and_nothing_changes(parts: Mapping[str, Part]) -> None:
    """Every release has the findings of its state, and a whole one has none; the surfaces stay as they are."""
    whole = parts["whole"]
    before = {name: part.surfaces() for name, part in parts.items()}
    ran = watch(whole, *EVER, "--json")
    found = found_in(ran)
    expected = {parts[name].tag: set(ids) for name, (_, ids) in ROWS.items()}
    assert {tag: ids for tag, ids in found.items() if ids} == {tag: ids for tag, ids in expected.items() if ids}
    assert (ran.code, ran.json["unknown"], ran.json["known"]) == (9, [], len(ROWS))
    assert {name: part.surfaces() for name, part in parts.items()} == before


def test_lists_are_read_once(parts: Mapping[str, Part]) -> None:
    """One list of releases and one page of each project, whatever the number of tags."""
    log = parts["whole"].at.running.folder / "requests.jsonl"
    before = len(log.read_text().splitlines())
    watch(parts["whole"], *EVER, "--json")
    asked = [json.loads(line) for line in log.read_text().splitlines()[before:]]
    paths = Counter(each["path"] for each in asked)
    assert paths["/api/v3/repos/acme/demo/releases"] == 1
    assert {path: count for path, count in paths.items() if path.startswith("/simple/") and count > 1} == {}
    assert {each["method"] for each in asked} <= {"GET", "HEAD"}


def test_each_finding_names_what_mends_it(parts: Mapping[str, Part]) -> None:
    """Its advice is in the catalogue, and each command in it parses."""
    from unmoor import advice

    ids = {each.id for each in advice.catalogue()}
    for each in watch(parts["whole"], *EVER, "--json").json["findings"]:
        assert each["next_step"]
        assert set(each["advice"]) <= ids
        assert each["advice"]


@pytest.mark.parametrize(
    ("name", "command"),
    [("moved tag", "git push --force"), ("deleted tag", "git push")],
    ids=["moved tag", "deleted tag"],
)
def test_a_tag_is_mended_by_the_printed_command(parts: Mapping[str, Part], name: str, command: str) -> None:
    """Pasted into the checkout, it puts the tag back, and the finding is gone."""
    part = parts[name]
    (finding,) = watch(part, part.tag, "--json").json["findings"]
    pasted = finding["next_step"].partition("put the tag back: ")[2].partition(";")[0]
    assert pasted.startswith(command)
    words = [str(part.at.remote) if word == "origin" else word for word in shlex.split(pasted)]
    subprocess.run(words, cwd=part.at.repo.path, check=True, capture_output=True, timeout=30)
    ran = watch(part, part.tag, "--json")
    assert found_in(ran).get(part.tag, set()) == set()


def test_a_draft_is_mended_as_printed(parts: Mapping[str, Part]) -> None:
    """The draft at the printed address is deleted by hand, and the finding is gone."""
    part = parts["second draft"]
    forge = part.at.services.forge
    (draft,) = (each for each in forge.releases(part.tag) if each.draft)
    (finding,) = watch(part, part.tag, "--json").json["findings"]
    assert draft.url in finding["next_step"]
    forge.remove(draft)
    assert found_in(watch(part, part.tag, "--json")).get(part.tag, set()) == set()
    part.draft(1)


def test_few_tags_are_looked_at_by_default(parts: Mapping[str, Part]) -> None:
    """The tags are years old, so only the highest release is in sight."""
    ran = watch(parts["whole"], "--json")
    assert ran.json["tags"] == [list(parts.values())[-1].tag]
    assert f"looking at 1 of {len(ROWS)} tags" in ran.err


def test_accepted_findings_do_not_count(parts: Mapping[str, Part]) -> None:
    """They are listed with their reason; a line that accepts nothing is named."""
    part = parts["yanked"]
    rules = (
        f'{{ tag = "{part.tag}", finding = "yanked", reason = "broken wheel" }}',
        f'{{ tag = "{part.tag}", finding = "stopped", reason = "never" }}',
        '{ tag = "v9*", finding = "stopped", reason = "not looked at" }',
    )
    plain = watch(part, part.tag, "--json")
    ran = watch(part, part.tag, "--json", config=f'watch-ignore = [{", ".join(rules)}]\nproject = "part10"\n')
    assert plain.code == 12
    assert "yanked" in found_in(plain)[part.tag]
    assert [each["reason"] for each in ran.json["accepted"]] == ["broken wheel"]
    assert ran.json["warnings"] == [f"watch-ignore: {part.tag} has no finding stopped: remove the line"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{ tag = "v1", finding = "yankd", reason = "x" }', 'did you mean "yanked"?'),
        ('{ tag = "v1", finding = "yanked" }', "watch-ignore.1.reason: missing"),
    ],
    ids=["id", "reason"],
)
def test_a_wrong_line_of_the_settings_is_refused(parts: Mapping[str, Part], line: str, message: str) -> None:
    """An unknown id comes with a suggestion, and a reason is required."""
    ran = watch(parts["whole"], config=f"watch-ignore = [{line}]\n")
    assert (ran.code, ran.out) == (3, "")
    assert message in ran.err


@pytest.mark.parametrize("tag", ["v9.9", "nightly"])
def test_a_tag_that_is_not_there_is_refused(parts: Mapping[str, Part], tag: str) -> None:
    """A misspelt tag is no release that drifted."""
    ran = watch(parts["whole"], tag)
    assert (ran.code, ran.out) == (4, "")


def test_what_is_unknown_is_no_drift_and_closes_no_issue(parts: Mapping[str, Part]) -> None:
    """One issue is opened and updated; without the index it stays open, with what it named; then it is closed."""
    file = parts["whole"].at.running.folder / "forge" / "issues.json"
    part = parts["yanked"]

    def keep(at: Part, *args: str, settings: str = "") -> tuple[int, str]:
        ran = watch(at, part.tag, "--issue", *args, "--json", config=f'project = "part{part.number}"\n{settings}')
        return ran.code, str(ran.json["issue"]["done"])

    assert keep(part) == (12, "opened")
    assert keep(part) == (12, "unchanged")
    away = part.unreachable(part.at.running.addresses["pypi"])
    assert keep(away) == (10, "updated")
    (issue,) = json.loads(file.read_text())
    assert (issue["state"], "Found before, now unknown" in issue["body"]) == ("open", True)
    accepted = 'watch-ignore = [{ tag = "*", finding = "yanked", reason = "x" }]'
    assert keep(part, settings=accepted) == (0, "closed")
    (issue,) = json.loads(file.read_text())
    assert issue["state"] == "closed"


@pytest.mark.parametrize("command", ["watch", "report"])
@pytest.mark.parametrize(
    "refusal",
    [
        (429, {"Retry-After": "60"}, "rate limit"),
        (429, {}, "rate limit"),
        (403, {}, "forbids"),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"}, "rate limit"),
    ],
    ids=["429 that asks", "429", "403", "403 for an hour"],
)
def test_a_forge_that_refuses_makes_it_unknown_in_bounded_time(
    parts: Mapping[str, Part],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    refusal: tuple[int, dict[str, str], str],
) -> None:
    """The reason is named, nothing of it is drift, and all waits together are a few minutes."""
    part, waits = parts["whole"], [0.0]
    status, headers, said = refusal
    send, refused = HTTPAdapter.send, answer(status, b"{}", kind="application/json", headers=headers)

    def sent(adapter: HTTPAdapter, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        real = send(adapter, request, **options)
        return refused(real) if str(request.url).startswith(part.at.running.addresses["forge"]) else real

    monkeypatch.setattr(HTTPAdapter, "send", sent)
    monkeypatch.setattr(MonotonicClock, "sleep", lambda _clock, seconds: waits.append(seconds))
    if command == "watch":
        ran = watch(part, part.tag, "--json", config=f'project = "part{part.number}"\n')
        assert ran.json["findings"] == []
        reasons = [each["why"] for each in ran.json["unknown"]]
    else:
        ran = part.unmoor("report", "--json")
        assert ran.json["state"] == "unknown"
        reasons = [each["why"] for each in ran.json["unknown"]]
        assert {each["part"] for each in ran.json["unknown"]} >= {"what is where", "notes", "attestations", "approvals"}
    assert ran.code == 10, ran.err
    assert any(said in each for each in reasons), reasons
    assert sum(waits) <= 300


def test_named_tags_leave_the_others_in_the_issue(parts: Mapping[str, Part]) -> None:
    """What the issue names is looked at too, so that it neither closes nor forgets a finding."""
    file = parts["whole"].at.running.folder / "forge" / "issues.json"
    yanked_one, whole = parts["yanked"], parts["whole"]
    settings = f'project = "part{yanked_one.number}"\n'
    assert watch(yanked_one, yanked_one.tag, "--issue", config=settings).code == 12
    ran = watch(whole, whole.tag, "--issue", "--json", config=settings)
    assert yanked_one.tag in ran.json["tags"]
    assert json.loads(file.read_text())[0]["state"] == "open"


def test_a_run_of_actions_gets_annotations_and_a_summary(
    parts: Mapping[str, Part], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each finding is an error with its next step."""
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    part = parts["yanked"]
    ran = watch(part, part.tag)
    written = summary.read_text()
    assert "::error title=" in ran.out + ran.err
    assert "| yanked |" in written
    assert "next step" in written


def test_the_project_is_looked_at_too(parts: Mapping[str, Part]) -> None:
    """An archived and a quarantined project are found, and files that a quarantine hides are not missing."""
    for name, finding in (("archived", "project-archived"), ("quarantined", "project-quarantined")):
        part = parts[name]
        ran = watch(part, part.tag, "--json", config=f'project = "part{part.number}"\n')
        assert found_in(ran)[""] == {finding}, name
        assert part.tag not in found_in(ran), name
