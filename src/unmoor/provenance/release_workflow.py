"""Which workflow signs the releases of a repository, read from the workflow files of a commit.

It is one that a pushed tag starts, with a job that may get ID tokens. Certificates name the file that holds the job, so
for a job that calls a reusable workflow it is the called file. Source: GitHub's "Workflow syntax for GitHub Actions"
(``on``, ``permissions``, ``jobs.<job_id>.uses``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from unmoor.provenance.identity import WORKFLOWS

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

_ENDINGS = (".yml", ".yaml")
LARGEST = 512 * 1024
"""GitHub takes no larger file; in bytes."""
_ID_TOKEN = "id-token"  # noqa: S105 - the name of a permission


class SigningWorkflows(msgspec.Struct, frozen=True, kw_only=True):
    """The workflows that may sign a release, as `unmoor.provenance.identity.workflow_path` writes them, sorted.

    ``unread`` are the workflow files that cannot be read, so that there may be others.
    """

    paths: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def only(self) -> str:
        """The only one; empty if there is none, or if there may be several."""
        return self.paths[0] if len(self.paths) == 1 and not self.unread else ""


def is_workflow(path: str) -> bool:
    """Whether GitHub takes a file of a repository for a workflow."""
    name = path.removeprefix(WORKFLOWS)
    return name != path and "/" not in name and name.endswith(_ENDINGS)


def signing_workflows(files: Mapping[str, bytes | None]) -> SigningWorkflows:
    """Find the workflows that a tag starts and that may get ID tokens, among files by their path."""
    found: set[str] = set()
    unread = []
    for path, data in files.items():
        try:
            found |= set(_signers(path, _parsed(data)))
        except ValueError:
            unread.append(path)
    return SigningWorkflows(paths=tuple(sorted(found)), unread=tuple(sorted(unread)))


def _parsed(data: bytes | None) -> Node | None:
    """Read a workflow file as YAML. Raises `ValueError` if it is too large, nested too deeply, or none.

    Nothing is constructed from it: in the nodes all scalars are texts, `on` too, and merge keys, which GitHub does not
    support, cannot make it grow.
    """
    from ruamel.yaml.error import YAMLError

    from unmoor.util.shallow_yaml import shallow_yaml

    if data is None or len(data) > LARGEST:
        msg = "it is too large"
        raise ValueError(msg)
    try:
        found: Node | None = shallow_yaml().compose(data.decode())
    except (YAMLError, RecursionError) as error:
        raise ValueError(str(error)) from error
    return found


def _signers(path: str, workflow: Node | None) -> Iterator[str]:
    """Yield the path that certificates name for each job that can sign a release. Raises `ValueError`."""
    top = _mapping(workflow)
    if not _starts_with_tags(top.get("on")):
        return
    for job in _mapping(top.get("jobs")).values():
        own = _mapping(job)
        # The permissions of a job replace those of the workflow.
        if _may_get_tokens(own.get("permissions", top.get("permissions"))):
            called = own.get("uses")
            # Of the same commit ``./PATH``, of another repository ``OWNER/NAME/PATH@REF``.
            yield path if called is None else _text(called).partition("@")[0].removeprefix("./")


def _starts_with_tags(events: Node | None) -> bool:
    """Whether a pushed tag starts a workflow: any push does, unless only branches are named."""
    if not _is_mapping(events):
        return "push" in _texts(events)
    named = _mapping(events)
    if "push" not in named:
        return False
    filters = _mapping(named["push"]).keys() if _is_mapping(named["push"]) else set[str]()
    return bool(filters & {"tags", "tags-ignore"}) or not filters & {"branches", "branches-ignore"}


def _may_get_tokens(permissions: Node | None) -> bool:
    """Whether permissions include ``id-token: write``. The default ones never do."""
    if permissions is None:
        return False
    if not _is_mapping(permissions):
        return _text(permissions) == "write-all"
    granted = _mapping(permissions).get(_ID_TOKEN)
    return granted is not None and _text(granted) == "write"


def _is_mapping(node: Node | None) -> bool:
    from ruamel.yaml.nodes import MappingNode

    return isinstance(node, MappingNode)


def _mapping(node: Node | None) -> Mapping[str, Node]:
    """The values of a mapping by their keys. Raises `ValueError` if it is none."""
    if node is None or not _is_mapping(node):
        msg = "it is not a mapping"
        raise ValueError(msg)
    return {_text(key): value for key, value in node.value}


def _texts(node: Node | None) -> tuple[str, ...]:
    """The texts of a list, or a single one; none of nothing. Raises `ValueError` for anything else."""
    from ruamel.yaml.nodes import SequenceNode

    if node is None:
        return ()
    return tuple(map(_text, node.value)) if isinstance(node, SequenceNode) else (_text(node),)


def _text(node: Node) -> str:
    from ruamel.yaml.nodes import ScalarNode

    if not isinstance(node, ScalarNode):
        msg = "it is not a text"
        raise ValueError(msg)  # noqa: TRY004 - the file is at fault
    return str(node.value)
