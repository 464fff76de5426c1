"""The table ``metrics``: where the records of a project are kept, and what is expected of them."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta

from unmoor.config.table import Table

_BRANCH = r"branch:[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*"
_FOLDER = r"folder:[^\x00-\x1f\x7f]+"
STORE = re.compile(f"({_BRANCH}|{_FOLDER})")
"""How a store is written."""
STORE_WORDS = "branch: and the name of a branch, or folder: and a path"


class MetricsSettings(Table, frozen=True, kw_only=True):
    """What is kept of the project's runs and measurements."""

    store: Annotated[
        str,
        Meta(
            pattern=rf"^{STORE.pattern}$(?!\n)",
            max_length=300,
            description="Where records are kept: `branch:NAME`, a branch of the repository that nothing else uses, or"
            " `folder:PATH`, relative to the project.",
            examples=["folder:metrics"],
            extra={"words": STORE_WORDS},
        ),
    ] = "branch:metrics"
