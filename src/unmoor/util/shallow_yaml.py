"""YAML that is not nested deeply, read in time that grows with its length.

ruamel.yaml looks at every open bracket again for each thing that it reads, so the time for brackets that are never
closed grows with the square of their number: four seconds for 20,000. This module imports it, so others import this one
where they read something.
"""

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scanner import Scanner, ScannerError

DEEPEST = 100
"""The most levels of lists and mappings in each other. Workflows have fewer than ten."""


def shallow_yaml() -> YAML:
    """A reader of YAML 1.2 that ends with a `ScannerError` at the first level that is too deep."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner = _ShallowScanner
    return yaml


class _ShallowScanner(Scanner):
    """Counts the levels that are open, in brackets and by indentation."""

    def fetch_flow_collection_start(self, TokenClass: Any, to_push: str) -> None:  # noqa: N803 - the signature is ruamel's
        """Open a bracket."""
        self._require_shallow()
        super().fetch_flow_collection_start(TokenClass, to_push)

    def add_indent(self, column: int) -> bool:
        """Open a level that is indented, if it is one."""
        if self.indent < column:
            self._require_shallow()
        return super().add_indent(column)

    def _require_shallow(self) -> None:
        if len(self.flow_context) + len(self.indents) >= DEEPEST:
            raise ScannerError(None, None, f"it is nested more than {DEEPEST} deep", self.reader.get_mark())
