"""A resolver with given answers, and packages with metadata, for tests that do not test how an index is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from unmoor.errors import UnmoorError
from unmoor.ports.resolver import InstallTarget, ResolvedPackage

Answer = tuple[ResolvedPackage, ...] | UnmoorError


def package(name: str, version: str = "1.0", *lines: str, known: bool = True) -> ResolvedPackage:
    """A package with these lines in its metadata, or whose metadata is not ``known``."""
    text = "\n".join(("Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *lines, ""))
    return ResolvedPackage(
        name=name,
        version=version,
        file=f"{name.replace('-', '_')}-{version}-py3-none-any.whl",
        sha256=sha256(f"{name}{version}".encode()).hexdigest(),
        metadata=text.encode() if known else None,
    )


@dataclass
class FakeResolver:
    """Answers by extra (empty: none), and notes what it was asked: the wheel, the extra and the target."""

    answers: Mapping[str, Answer]
    asked: list[tuple[str, str, InstallTarget]] = field(default_factory=list)

    def under(self, constraints: Sequence[str], *, builds: bool = True) -> FakeResolver:
        """The same."""
        del constraints, builds
        return self

    def resolve(self, wheel: Path, *, name: str, extra: str, target: InstallTarget) -> tuple[ResolvedPackage, ...]:
        """Return or raise the answer."""
        del name
        self.asked.append((wheel.name, extra, target))
        answer = self.answers[extra]
        if isinstance(answer, UnmoorError):
            raise answer
        return answer
