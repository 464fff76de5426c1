"""What `unmoor image-tags` plans for: the run of GitHub Actions, else the checkout; flags come before either."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from unmoor.adapters.factory import open_checkout
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.supervisor import Processes
from unmoor.cli.resolve_project import remote_repository
from unmoor.errors import ConfigError, Refused, ToolMissing, UnmoorError
from unmoor.images.tags import RepositoryFacts, TagContext, with_event
from unmoor.images.tags.context import HEADS, SHORT, TAGS, read_time
from unmoor.util.text import clean
from unmoor.versioning import pep440

LARGEST_EVENT: Final = 30_000_000
"""Bytes; GitHub sends 25 MB at most."""
_SITE: Final = "https://github.com"
_LONGEST_ID: Final = 64


@dataclass(frozen=True, kw_only=True)
class ImageContextOptions:
    """What the flags said; ``None`` where one was not given."""

    folder: Path
    ref: str | None = None
    sha: str | None = None
    event: Path | None = None
    event_name: str | None = None
    date: str | None = None


def tag_context(asked: ImageContextOptions, environ: Mapping[str, str], *, wants_commit_date: bool) -> TagContext:
    """Find out what is built. Raises `ConfigError` for what cannot be right, `Refused` where nothing says it."""
    ref = None if asked.ref is None else _full(asked.ref)
    found = TagContext(now=_time(asked.date), short=_short(environ))
    event = asked.event
    if "GITHUB_REF" in environ or environ.get("GITHUB_ACTIONS") == "true":
        found = _of_run(found, environ)
        event = event or (Path(path) if (path := environ.get("GITHUB_EVENT_PATH")) else None)
    else:
        found = _of_checkout(found, asked.folder, ref)
    found = replace(found, sha=found.sha if asked.sha is None else asked.sha)
    if asked.event_name is not None:
        found = replace(found, event=asked.event_name)
    if event is not None:
        head = environ.get("DOCKER_METADATA_PR_HEAD_SHA", "").lower() == "true"
        found = with_event(found, _payload(event), head_of_pull=head)
    if ref is not None:
        found = replace(found, ref=ref)
    if not found.ref:
        raise ConfigError(
            "nothing says which ref is built", where="GITHUB_REF", next_step="name it: --ref refs/heads/main"
        )
    if wants_commit_date and found.commit_date is None:
        found = replace(found, commit_date=_date_of(asked.folder, found.sha))
    return found


def levels(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Where annotations go, as docker/metadata-action's variable says it."""
    named = environ.get("DOCKER_METADATA_ANNOTATIONS_LEVELS", "").split(",")
    return tuple(level for level in named if level) or ("manifest",)


def _of_run(found: TagContext, environ: Mapping[str, str]) -> TagContext:
    repository = environ.get("GITHUB_REPOSITORY", "")
    server = environ.get("GITHUB_SERVER_URL", _SITE).rstrip("/")
    return replace(
        found,
        ref=environ.get("GITHUB_REF", ""),
        sha=environ.get("GITHUB_SHA", ""),
        event=environ.get("GITHUB_EVENT_NAME", ""),
        repository=_repository(repository, server),
    )


def _of_checkout(found: TagContext, folder: Path, ref: str | None) -> TagContext:
    """Take what the checkout says: its branch, else the tag that HEAD stands on. With a ref none is needed."""
    with Processes() as processes, processes.guarded():
        here = open_checkout(folder, processes)
        try:
            commit = here.commit_of(ref.removeprefix(TAGS)) if ref and ref.startswith(TAGS) else here.head()
        except (Refused, ToolMissing):
            if ref is None:
                raise
            return replace(found, event="push")
        repository = remote_repository(here)
        default = _symbolic(here, "refs/remotes/origin/HEAD").removeprefix("refs/remotes/origin/")
        return replace(
            found,
            ref=ref or _ref_of(here, commit),
            sha=commit or "",
            event="push",
            commit_date=datetime.fromtimestamp(here.date_of(commit), UTC) if commit else None,
            default_branch=default,
            repository=replace(_repository(repository, _SITE), default_branch=default),
        )


def _ref_of(here: GitCheckout, head: str | None) -> str:
    branch = _symbolic(here, "HEAD")
    if branch.startswith(HEADS):
        return branch
    tags = here.tags()
    names = pep440.tags_at(tags, head) if head else ()
    tag = pep440.release_tag_at(tags, head) if head else None
    if tag or len(names) == 1:
        return TAGS + (tag or names[0])
    raise ConfigError(
        "HEAD is on no branch, and it cannot be told on which tag" + (f": {', '.join(names)}" if names else ""),
        where=str(here.folder),
        next_step="name what is built: --ref refs/tags/v1.2.3",
    )


def _symbolic(here: GitCheckout, name: str) -> str:
    """Where a symbolic ref leads, empty where it is none."""
    return here.git.run("symbolic-ref", "--quiet", name, cwd=here.folder, fine=(0, 1, 128)).out.strip()


def _date_of(folder: Path, sha: str) -> datetime | None:
    """The commit's time by the checkout, ``None`` where there is none that knows the commit."""
    with Processes() as processes, processes.guarded():
        try:
            return datetime.fromtimestamp(open_checkout(folder, processes).date_of(sha), UTC)
        except UnmoorError:  # the expression that needs it says what to do
            return None


def _full(ref: str) -> str:
    if not ref.startswith("refs/"):
        raise ConfigError(
            f"{pep440.quote(ref)} is no full ref",
            where="--ref",
            next_step=f"write it as refs/heads/{clean(ref)} for a branch, or refs/tags/{clean(ref)} for a tag",
        )
    return ref


def _repository(name: str, server: str) -> RepositoryFacts:
    return RepositoryFacts(title=name.rpartition("/")[2], url=f"{server}/{name}" if name else "")


def _payload(path: Path) -> object:
    """Read the event. Raises `ConfigError` where there is none, or it is no JSON."""
    step = "pass the file that GitHub Actions wrote: --event $GITHUB_EVENT_PATH"
    try:
        with path.open("rb") as stream:
            text = stream.read(LARGEST_EVENT + 1)
        payload: object = json.loads(text) if len(text) <= LARGEST_EVENT else None
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"the event cannot be read: {error}", where=str(path), next_step=step) from error
    if len(text) > LARGEST_EVENT:
        raise ConfigError(f"the event holds over {LARGEST_EVENT:,} bytes", where=str(path), next_step=step)
    return payload


def _time(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    found = read_time(text)
    if found is None:
        raise ConfigError(
            f"{pep440.quote(text)} is no time", where="--date", next_step="write it as 2026-01-31T12:00:00Z"
        )
    return found


def _short(environ: Mapping[str, str]) -> int:
    name = "DOCKER_METADATA_SHORT_SHA_LENGTH"
    text = environ.get(name) or str(SHORT)
    if not (text.isascii() and text.isdigit() and 0 < int(text[:4]) <= _LONGEST_ID):
        raise ConfigError(
            f"{pep440.quote(text)} is no length of a commit id",
            where=f"the environment variable {name}",
            next_step="set it to a number from 4 to 40, or unset it",
        )
    return int(text)
