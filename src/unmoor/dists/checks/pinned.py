"""What PyPI's version of packaging judges otherwise than a newer one, so that no finding blames PyPI for the newer.

PyPI pins packaging 26.2 (warehouse's requirements/main.txt, August 2026). From 26.3 on, packaging refuses more, and
accepts ``charset=utf-8``. twine and pip use the newer one. If PyPI moves on, these functions are deleted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.message import EmailMessage
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from packaging.metadata import RawMetadata

_MEDIA_TYPES = ("text/plain", "text/x-rst", "text/markdown")
_VARIANTS = ("GFM", "CommonMark")
_GROUPED_LICENCE = re.compile(r"\(\s*([^()\s]+)\s*\)(\s+with\s)", re.IGNORECASE)


def accepts(field: str, raw: RawMetadata) -> bool:
    """Whether PyPI's version accepts the value of a field that the installed version refuses."""
    value = cast("Mapping[str, Any]", raw).get(field.replace("-", "_"), "")
    match field:
        case "summary":  # any other character that ends a line
            return "\n" not in value
        case "description-content-type":  # parameters with defects
            return _accepts_content_type(value)
        case "license-file":  # C:LICENSE, which is relative on Windows
            return all(_accepts_licence_file(path) for path in raw.get("license_files", ()))
        case "license-expression":  # (MIT) WITH an exception
            return _accepts_expression(value)
        case _:
            return False


def charset(content_type: str) -> str:
    """The charset of a content type as written. Empty if it has none, or cannot be read."""
    return str(_parse(content_type)[1].get("charset", ""))


def _parse(content_type: str) -> tuple[str, Mapping[str, str]]:
    """A content type without its parameters, and those; the first is empty if it cannot be read."""
    message = EmailMessage()
    try:
        message["content-type"] = content_type
        return message.get_content_type(), message["content-type"].params
    except (ValueError, IndexError):  # the second for text/plain; x*
        return "", {}


def _accepts_content_type(value: str) -> bool:
    kind, parameters = _parse(value)
    if kind not in _MEDIA_TYPES or kind not in value.lower() or parameters.get("charset", "UTF-8") != "UTF-8":
        return False
    return kind != "text/markdown" or parameters.get("variant", "GFM") in _VARIANTS


def _accepts_licence_file(path: str) -> bool:
    windows = PureWindowsPath(path)
    return not (
        ".." in path or "*" in path or path.startswith("/") or windows.is_absolute() or windows.as_posix() != path
    )


def _accepts_expression(value: str) -> bool:
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        canonicalize_license_expression(_GROUPED_LICENCE.sub(r"\1\2", value))
    except InvalidLicenseExpression:
        return False
    return True
