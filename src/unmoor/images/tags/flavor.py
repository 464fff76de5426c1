"""What holds for all rules (the flavor), and the names of the images. One line each, ``key=value`` between commas."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from unmoor.images.tags.errors import SourceLine
from unmoor.images.tags.fields import fields, lines


@dataclass(frozen=True, kw_only=True)
class Flavor:
    """``latest`` is ``auto``, ``true`` or ``false``; prefix and suffix are of every rule that has none of its own.

    ``on_latest_prefix`` and ``on_latest_suffix``: ``latest`` gets them as well.
    """

    latest: str = "auto"
    prefix: str = ""
    suffix: str = ""
    on_latest_prefix: bool = False
    on_latest_suffix: bool = False
    places: tuple[SourceLine, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Name:
    """The name of an image as a user writes it: ``ghcr.io/owner/name``; it gets no tags where it is not enabled."""

    name: str
    enable: bool = True


# Docker's reference grammar: a host with an optional port, then path components in lower case.
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?"
_IMAGE = re.compile(rf"(?:{_HOST}/)?{_COMPONENT}(?:/{_COMPONENT})*")
LONGEST_NAME = 255


def parse(texts: Iterable[str], *, compat: bool = False) -> Flavor:
    """Read the flavor; later lines win. Raises `ConfigError` for a key or value that there is not."""
    values = {"latest": "auto", "prefix": "", "suffix": ""}
    on_latest = {"prefix": False, "suffix": False}
    places = lines(texts, "flavor")
    for place in places:
        last = ""
        for field in fields(place):
            key, value = _pair(place, field, compat=compat)
            if key in values:
                values[key] = value
                if key == "latest":
                    _one_of(place, field, value, ("auto", "true", "false"))
                else:
                    last = key
            elif key == "onlatest":
                _one_of(place, field, value, ("true", "false"))
                if last:
                    on_latest[last] = value == "true"
                elif not compat:
                    raise place.error(
                        "onlatest belongs to the prefix or suffix before it, and there is none",
                        at=place.text.find(field),
                        next_step="write it behind one: suffix=-prod,onlatest=true",
                    )
            else:
                raise place.error(
                    f"there is no key {key!r}",
                    at=place.text.find(field),
                    next_step="use latest, prefix, suffix, or onlatest behind one of the last two",
                )
    return Flavor(**values, on_latest_prefix=on_latest["prefix"], on_latest_suffix=on_latest["suffix"], places=places)


def images(texts: Iterable[str], *, compat: bool = False) -> tuple[Name, ...]:
    """Read names: one a line, or several between commas on an only line, or ``name=…,enable=false``.

    Names are lower-cased. Raises `ConfigError` for one that no registry takes.
    """
    places = lines(texts, "image")
    if len(places) == 1 and not any("=" in field for field in fields(places[0])):
        found = [(places[0], Name(name=field.strip())) for field in fields(places[0])]
    else:
        found = [(place, _image(place, compat=compat)) for place in places]
    for place, image in found:
        if not compat and not (len(image.name) <= LONGEST_NAME and _IMAGE.fullmatch(image.name.lower())):
            raise place.error(
                f"no registry takes an image of the name {image.name!r}",
                next_step="name it as host/owner/name, without a tag: ghcr.io/owner/name",
            )
    return tuple(Name(name=image.name.lower(), enable=image.enable) for _, image in found)


def _image(place: SourceLine, *, compat: bool) -> Name:
    name, enable = "", True
    for field in fields(place):
        if "=" not in field:
            name = field.strip()
            continue
        key, value = _pair(place, field, compat=compat)
        if key == "name":
            name = value
        elif key == "enable":
            _one_of(place, field, value, ("true", "false"))
            enable = value == "true"
        else:
            raise place.error(
                f"there is no key {key!r}", at=place.text.find(field), next_step="use name, and enable=true or false"
            )
    if not name:
        raise place.error("the name is empty", next_step="name it as host/owner/name: ghcr.io/owner/name")
    return Name(name=name, enable=enable)


def _pair(place: SourceLine, field: str, *, compat: bool) -> tuple[str, str]:
    """Split at ``=``. What stands behind a second one is dropped in compat, and refused otherwise."""
    key, *values = (part.strip() for part in field.split("="))
    if not values:
        raise place.error(f"{field.strip()!r} is no key=value", at=place.text.find(field))
    if len(values) > 1 and not compat:
        raise place.error(
            "there is a second = in this field, and what stands behind it would be lost",
            at=place.text.find(field),
            next_step="leave it out: a tag cannot hold it",
        )
    return key.lower(), values[0]


def _one_of(place: SourceLine, field: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise place.error(
            f"{value!r} is none of {', '.join(allowed)}",
            at=place.text.find(field),
            next_step=f"use one of {', '.join(allowed)}",
        )
