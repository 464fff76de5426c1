"""Parse the flavor, which applies to all rules, and the names of images: lines of comma-separated ``key=value``."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from unmoor import advice
from unmoor.images.tags.errors import SourceLine
from unmoor.images.tags.fields import fields, lines


class Flavor(msgspec.Struct, frozen=True, kw_only=True):
    """The flavor. ``latest`` is ``auto``, ``true`` or ``false``; prefix and suffix apply to rules without their own.

    ``on_latest_prefix`` and ``on_latest_suffix`` say whether ``latest`` gets them, too.
    """

    latest: str = "auto"
    prefix: str = ""
    suffix: str = ""
    on_latest_prefix: bool = False
    on_latest_suffix: bool = False
    source_lines: tuple[SourceLine, ...] = ()


class Name(msgspec.Struct, frozen=True, kw_only=True):
    """The name of an image, ``ghcr.io/owner/name``; it gets tags only if ``enable`` is true."""

    name: str
    enable: bool = True


# Docker's reference grammar: a host with an optional port, then path components in lower case.
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?"
_IMAGE = re.compile(rf"(?:{_HOST}/)?{_COMPONENT}(?:/{_COMPONENT})*")
LONGEST_NAME = 255


def parse(texts: Iterable[str], *, compat: bool = False) -> Flavor:
    """Parse the flavor; later lines win. Raises `ConfigError` for an unknown key or value."""
    values = {"latest": "auto", "prefix": "", "suffix": ""}
    on_latest = {"prefix": False, "suffix": False}
    source_lines = lines(texts, "flavor")
    for line in source_lines:
        last = ""
        for field in fields(line):
            key, value = _pair(line, field, compat=compat)
            if key in values:
                values[key] = value
                if key == "latest":
                    _one_of(line, field, value, ("auto", "true", "false"))
                else:
                    last = key
            elif key == "onlatest":
                _one_of(line, field, value, ("true", "false"))
                if last:
                    on_latest[last] = value == "true"
                elif not compat:
                    raise line.error(
                        "onlatest applies to the prefix or suffix before it, but there is none",
                        at=line.text.find(field),
                        next_step=advice.WRITE_IT_AS(example="suffix=-prod,onlatest=true"),
                    )
            else:
                raise line.error(
                    f"there is no key {key!r}",
                    at=line.text.find(field),
                    next_step=advice.USE_ONE_OF(known="latest, prefix, suffix, or onlatest after one of the last two"),
                )
    return Flavor(
        **values, on_latest_prefix=on_latest["prefix"], on_latest_suffix=on_latest["suffix"], source_lines=source_lines
    )


def images(texts: Iterable[str], *, compat: bool = False) -> tuple[Name, ...]:
    """Parse names: one a line, several separated by commas on a single line, or ``name=…,enable=false``.

    Names are lower-cased. Raises `ConfigError` for an invalid name.
    """
    source_lines = lines(texts, "image")
    if len(source_lines) == 1 and not any("=" in field for field in fields(source_lines[0])):
        found = [(source_lines[0], Name(name=field.strip())) for field in fields(source_lines[0])]
    else:
        found = [(line, _image(line, compat=compat)) for line in source_lines]
    for line, image in found:
        if not compat and not (len(image.name) <= LONGEST_NAME and _IMAGE.fullmatch(image.name.lower())):
            raise line.error(
                f"{image.name!r} is not a valid image name",
                next_step=advice.WRITE_IMAGE_NAME(),
            )
    return tuple(Name(name=image.name.lower(), enable=image.enable) for _, image in found)


def _image(line: SourceLine, *, compat: bool) -> Name:
    name, enable = "", True
    for field in fields(line):
        if "=" not in field:
            name = field.strip()
            continue
        key, value = _pair(line, field, compat=compat)
        if key == "name":
            name = value
        elif key == "enable":
            _one_of(line, field, value, ("true", "false"))
            enable = value == "true"
        else:
            raise line.error(
                f"there is no key {key!r}", at=line.text.find(field), next_step=advice.USE_ONE_OF(known="name, enable")
            )
    if not name:
        raise line.error("the name is empty", next_step=advice.WRITE_IMAGE_NAME())
    return Name(name=name, enable=enable)


def _pair(line: SourceLine, field: str, *, compat: bool) -> tuple[str, str]:
    """Split at ``=``. Text after a second ``=`` is dropped with ``compat``, and refused otherwise."""
    key, *values = (part.strip() for part in field.split("="))
    if not values:
        raise line.error(f"{field.strip()!r} is not key=value", at=line.text.find(field))
    if len(values) > 1 and not compat:
        raise line.error(
            "there is a second = in this field, and the text after it would be lost",
            at=line.text.find(field),
            next_step=advice.REMOVE_SECOND_EQUALS(),
        )
    return key.lower(), values[0]


def _one_of(line: SourceLine, field: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise line.error(
            f"{value!r} is not one of {', '.join(allowed)}",
            at=line.text.find(field),
            next_step=advice.USE_ONE_OF(known=", ".join(allowed)),
        )
