"""A settings file from the command line, which replaces the commit's own settings."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from unmoor import advice
from unmoor.config.read_toml import TomlDocument, parse, refuse_near_misses
from unmoor.errors import ConfigError
from unmoor.util.text import clean


class ConfigFile(msgspec.Struct, frozen=True, kw_only=True):
    """The content of the file; ``name`` is without its folder."""

    name: str
    data: bytes

    @property
    def origin(self) -> str:
        """The file's name and digest, for the manifest. Has no path, since it differs between machines.

        The digest is that of the text with the line ends of Unix: git on Windows writes others into a checkout.
        """
        text = self.data.replace(b"\r\n", b"\n")
        return f"{self.name} sha256:{hashlib.sha256(text).hexdigest()}"


def read_config_file(path: Path | None) -> ConfigFile | None:
    """Read the file, if there is one. Raises `ConfigError` if it cannot be read."""
    if path is None:
        return None
    try:
        return ConfigFile(name=clean(path.name, 100), data=path.read_bytes())
    except OSError as error:
        raise ConfigError(
            f"cannot read the settings file: {error.strerror}",
            where=str(path),
            next_step=advice.NAME_SETTINGS_FILE(),
        ) from error


def table_of(config: ConfigFile, pyproject: str) -> tuple[TomlDocument, tuple[str, ...], object]:
    """The document, the path and the table of the settings: ``[tool.unmoor]`` of a pyproject.toml, else all of it.

    Raises `ConfigError` if the file is not TOML.
    """
    document = parse(config.data, config.name)
    if config.name != pyproject:
        return document, (), document.table
    tools = document.table.get("tool", {})
    tools = tools if isinstance(tools, dict) else {}
    refuse_near_misses(document, tools)
    return document, ("tool", "unmoor"), tools.get("unmoor", {})
