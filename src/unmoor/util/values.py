"""Frozen values.

Most are a `msgspec.Struct`: making the class takes 0.01 ms at import, but 0.4 ms for a dataclass, and a command imports
two hundred. Stages and what holds state remain dataclasses, which are open to inheritance and to cached properties.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    # Type checkers know this one, and check the names and types of the changes, of a Struct as well.
    from dataclasses import replace as replace  # noqa: PLC0414, TID251 - exported
else:

    def replace(value: Any, /, **changes: Any) -> Any:
        """Copy a frozen value with some of its fields changed, as `copy.replace` does from Python 3.13 on."""
        if isinstance(value, msgspec.Struct):
            return msgspec.structs.replace(value, **changes)
        import dataclasses

        return dataclasses.replace(value, **changes)  # noqa: TID251 - a stage
