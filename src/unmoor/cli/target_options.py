"""The options that say what a command works on. A module of its own, which imports little: most commands need it."""

from __future__ import annotations

from pathlib import Path

import msgspec


class TargetOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options that most commands share: the checkout, the project in it, the tag, the world and the settings.

    An option that was not given is ``None``.
    """

    folder: Path
    path: str | None = None
    tag: str | None = None
    world: Path | None = None
    config: Path | None = None

    def arguments(self) -> list[str]:
        """Return these options as command-line arguments, without the tag."""
        arguments = ["--directory", str(self.folder)] if self.folder != Path() else []
        arguments += ["--path", self.path] if self.path is not None else []
        arguments += ["--world", str(self.world)] if self.world else []
        return [*arguments, *(["--config", str(self.config)] if self.config else [])]
