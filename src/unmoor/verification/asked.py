"""What a user asks to verify: a tag, a tag of a named repository, or a version of a package on the index."""

from __future__ import annotations

import re

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import Version

from unmoor.config.addresses import PROJECT, REPOSITORY
from unmoor.errors import Refused
from unmoor.util.text import clean
from unmoor.versioning.tag_scheme import refuse_unsafe

_OWNER = r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}"
_IDENTITY = re.compile(
    rf"(?P<repository>{_OWNER}/[A-Za-z0-9._-]{{1,100}})(?P<path>/\.github/workflows/[^/\s@]{{1,200}}\.ya?ml)?"
)


class VerifyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to verify: either a ``tag``, perhaps of a ``repository``, or a ``version`` of a ``project``."""

    repository: str = ""
    tag: str = ""
    project: str = ""
    version: str = ""

    @classmethod
    def parse(cls, text: str) -> VerifyRequest:
        """Read ``TAG``, ``owner/name@TAG`` or ``package==VERSION``.

        Raises `ValueError` for a package or a version that cannot be one, and `Refused` for an unsafe tag.
        """
        project, found, version = text.partition("==")
        if found and "/" not in project and "@" not in text:
            if not project or re.fullmatch(PROJECT, project) is None:
                raise ValueError(f"{clean(project, 80)!r} is not the name of a package")
            try:
                return cls(project=canonicalize_name(project), version=str(Version(version)))
            except ValueError:
                raise ValueError(f"{clean(version, 80)!r} is not a version (PEP 440)") from None
        repository, found, tag = text.partition("@")
        if not found or re.fullmatch(REPOSITORY, repository) is None:
            repository, tag = "", text
        refuse_unsafe(tag)
        return cls(repository=repository, tag=tag)

    def __str__(self) -> str:
        if self.project:
            return f"{self.project}=={self.version}"
        return f"{self.repository}@{self.tag}" if self.repository else self.tag


def is_safe_tag(tag: str) -> bool:
    """Whether a name from outside may be asked for as a tag."""
    try:
        refuse_unsafe(tag)
    except Refused:
        return False
    return True


def read_identity(text: str) -> str:
    """Check an expected identity: ``owner/name``, or ``owner/name/.github/workflows/FILE``. Raises `ValueError`."""
    if _IDENTITY.fullmatch(text) is None:
        raise ValueError(
            f"{clean(text, 80)!r} is neither a repository (owner/name) nor a workflow of one"
            " (owner/name/.github/workflows/release.yml)"
        )
    return text


def repository_in(address: str, site: str) -> str:
    """The repository on a forge that an address is of or below, as ``owner/name``; empty if it is elsewhere.

    >>> repository_in("https://github.com/acme/demo/issues", "https://github.com")
    'acme/demo'
    """
    scheme, _, rest = address.partition("://")
    host, _, path = rest.partition("/")
    if scheme not in {"https", "http"} or host.removeprefix("www.") != site.partition("://")[2].rstrip("/"):
        return ""
    parts = [part for part in re.split(r"[/?#]", path) if part][:2]
    name = "/".join(parts).removesuffix(".git")
    return name if re.fullmatch(REPOSITORY, name) else ""
