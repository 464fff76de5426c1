"""What ``unmoor image-tags`` plans for: options first, then the run of GitHub Actions, then the checkout."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from unmoor import advice
from unmoor.adapters.factory import open_checkout
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.supervisor import Processes
from unmoor.cli.resolve_project import remote_repository
from unmoor.errors import ConfigError, Refused, ToolMissing, UnmoorError
from unmoor.images.tags import RepositoryFacts, TagContext, with_event
from unmoor.images.tags.context import HEADS, SHORT, TAGS, read_time
from unmoor.util.decode import decode_json
from unmoor.util.text import clean
from unmoor.util.values import replace
from unmoor.versioning import pep440

MAX_EVENT_BYTES: Final = 30_000_000
"""The largest event file that is read. GitHub sends at most 25 MB."""
_SITE: Final = "https://github.com"
_MAX_COMMIT_LENGTH: Final = 64
"""Hexadecimal digits of a commit id in a SHA-256 repository."""


class ImageContextOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of the command; ``None`` for one that was not given."""

    folder: Path
    ref: str | None = None
    sha: str | None = None
    event: Path | None = None
    event_name: str | None = None
    date: str | None = None


def tag_context(
    options: ImageContextOptions, environ: Mapping[str, str], *, wants_commit_date: bool, compat: bool = False
) -> TagContext:
    """Determine which ref, commit and event to plan for.

    Raises `ConfigError` for a wrong value or if nothing names the ref, and `Refused` if a checkout is needed and
    there is none. With ``compat`` there may be no ref and no checkout, as for docker/metadata-action.
    """
    ref = None if options.ref is None or (compat and not options.ref) else _full_ref(options.ref)
    context = TagContext(now=_time(options.date), short=_short_length(environ))
    event = options.event
    if "GITHUB_REF" in environ or environ.get("GITHUB_ACTIONS") == "true":
        context = _from_run(context, environ)
        event = event or (Path(path) if (path := environ.get("GITHUB_EVENT_PATH")) else None)
    else:
        context = _from_checkout(context, options.folder, ref, compat=compat)
    context = replace(context, sha=context.sha if options.sha is None else options.sha)
    if options.event_name is not None:
        context = replace(context, event=options.event_name)
    if event is not None:
        head = environ.get("DOCKER_METADATA_PR_HEAD_SHA", "").lower() == "true"
        context = with_event(context, _read_event(event), head_of_pull=head)
    if ref is not None:
        context = replace(context, ref=ref)
    if not context.ref and not compat:
        raise ConfigError("no ref is set", where="GITHUB_REF", next_step=advice.NAME_A_REF())
    if wants_commit_date and context.commit_date is None:
        context = replace(context, commit_date=_commit_date(options.folder, context.sha))
    return context


def levels(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return where annotations go, from the environment variable of docker/metadata-action."""
    named = environ.get("DOCKER_METADATA_ANNOTATIONS_LEVELS", "").split(",")
    return tuple(level for level in named if level) or ("manifest",)


def _from_run(context: TagContext, environ: Mapping[str, str]) -> TagContext:
    repository = environ.get("GITHUB_REPOSITORY", "")
    server = environ.get("GITHUB_SERVER_URL", _SITE).rstrip("/")
    return replace(
        context,
        ref=environ.get("GITHUB_REF", ""),
        sha=environ.get("GITHUB_SHA", ""),
        event=environ.get("GITHUB_EVENT_NAME", ""),
        repository=_repository(repository, server),
    )


def _from_checkout(context: TagContext, folder: Path, ref: str | None, *, compat: bool) -> TagContext:
    """Use the checkout's branch, or the tag on a detached HEAD. With a ``ref`` no checkout is needed."""
    with Processes() as processes, processes.guarded():
        here = open_checkout(folder, processes)
        try:
            commit = here.commit_of(ref.removeprefix(TAGS)) if ref and ref.startswith(TAGS) else here.head()
        except (Refused, ToolMissing):
            if ref is None and not compat:
                raise
            return replace(context, event="push")
        repository = remote_repository(here)
        default = _symbolic_ref(here, "refs/remotes/origin/HEAD").removeprefix("refs/remotes/origin/")
        return replace(
            context,
            ref=ref or _ref_of(here, commit, compat=compat),
            sha=commit or "",
            event="push",
            commit_date=datetime.fromtimestamp(here.date_of(commit), UTC) if commit else None,
            default_branch=default,
            repository=replace(_repository(repository, _SITE), default_branch=default),
        )


def _ref_of(here: GitCheckout, head: str | None, *, compat: bool) -> str:
    branch = _symbolic_ref(here, "HEAD")
    if branch.startswith(HEADS):
        return branch
    tags = here.tags()
    names = pep440.tags_at(tags, head) if head else ()
    tag = pep440.release_tag_at(tags, head) if head else None
    if tag or len(names) == 1:
        return TAGS + (tag or names[0])
    if compat and not names:
        return ""
    raise ConfigError(
        f"HEAD is detached, and several tags are on it: {', '.join(names)}"
        if names
        else "HEAD is detached, and no tag is on it",
        where=str(here.folder),
        next_step=advice.NAME_A_REF(),
    )


def _symbolic_ref(here: GitCheckout, name: str) -> str:
    """Return the target of a symbolic ref, empty if ``name`` is not one."""
    return here.git.run("symbolic-ref", "--quiet", name, cwd=here.folder, fine=(0, 1, 128)).out.strip()


def _commit_date(folder: Path, sha: str) -> datetime | None:
    """Return the time of a commit, ``None`` if the checkout does not have it or there is no checkout."""
    with Processes() as processes, processes.guarded():
        try:
            return datetime.fromtimestamp(open_checkout(folder, processes).date_of(sha), UTC)
        except UnmoorError:  # the expression that needs the date raises an error with a next step
            return None


def _full_ref(ref: str) -> str:
    if not ref.startswith("refs/"):
        raise ConfigError(
            f"{pep440.quote(ref)} is not a full ref",
            where="--ref",
            next_step=advice.WRITE_FULL_REF(ref=clean(ref)),
        )
    return ref


def _repository(name: str, server: str) -> RepositoryFacts:
    return RepositoryFacts(title=name.rpartition("/")[2], url=f"{server}/{name}" if name else "")


def _read_event(path: Path) -> object:
    """Read the payload of an event. Raises `ConfigError` if the file is missing, too large or not JSON."""
    step = advice.PASS_EVENT_FILE()
    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_EVENT_BYTES + 1)
        payload = decode_json(text, object) if len(text) <= MAX_EVENT_BYTES else None
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read the event: {error}", where=str(path), next_step=step) from error
    if len(text) > MAX_EVENT_BYTES:
        raise ConfigError(f"the event is larger than {MAX_EVENT_BYTES:,} bytes", where=str(path), next_step=step)
    return payload


def _time(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    time = read_time(text)
    if time is None:
        raise ConfigError(
            f"{pep440.quote(text)} is not a time",
            where="--date",
            next_step=advice.WRITE_IT_AS(example="2026-01-31T12:00:00Z"),
        )
    return time


def _short_length(environ: Mapping[str, str]) -> int:
    name = "DOCKER_METADATA_SHORT_SHA_LENGTH"
    text = environ.get(name) or str(SHORT)
    if not (text.isascii() and text.isdigit() and 0 < int(text[:4]) <= _MAX_COMMIT_LENGTH):
        raise ConfigError(
            f"{pep440.quote(text)} is not a valid length for a commit id",
            where=f"the environment variable {name}",
            next_step=advice.SET_SHA_LENGTH(),
        )
    return int(text)
