"""Write a bill of materials as CycloneDX 1.6, in JSON. The same content gives the same bytes.

cyclonedx-python-lib writes it: it sorts everything, and its model knows the fields. Its time and serial number are
random, so they are given here. 1.6 is the newest version that scanners of 2026 read; see
https://cyclonedx.org/docs/1.6/json/.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

import msgspec
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.utils import canonicalize_name

from unmoor.ports.resolver import ResolvedPackage
from unmoor.products import Tool
from unmoor.sbom.graph import PackageDetails, describe, edges
from unmoor.sbom.targets import describe as describe_target
from unmoor.sbom.targets import environment_of
from unmoor.sbom.wheel import WheelContent
from unmoor.util.text import clean

if TYPE_CHECKING:
    from cyclonedx.model import ExternalReference, Property
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component
    from cyclonedx.model.license import License
    from cyclonedx.output import BaseOutput
    from packageurl import PackageURL

_EXTRA = "unmoor:extra"
_FILE = "unmoor:file"
_NO_METADATA = "unmoor:dependencies"
_LONGEST_LICENCE = 200


class _Component(msgspec.Struct, frozen=True, kw_only=True):
    """One package in a bill of materials. ``extras`` are those that bring it, none if it is always installed."""

    package: ResolvedPackage
    extras: tuple[str, ...]

    @property
    def ref(self) -> str:
        return _purl(self.package.name, self.package.version).to_string()


def write(content: WheelContent, *, date: int, tools: Iterable[Tool]) -> bytes:
    """Return the bill of materials of a wheel, with a final newline.

    ``date`` is when it counts as made, in seconds since 1970; ``tools`` are the programs that made it.
    """
    from cyclonedx.output.json import JsonV1Dot6

    components = _components(content)
    bom = _bom(content, components, date=date, tools=tools)
    # The number says what it is of: another content has another one, and the same content the same.
    bom.serial_number = uuid5(NAMESPACE_URL, sha256(_text(JsonV1Dot6(bom))).hexdigest())
    return _text(JsonV1Dot6(bom))


def _text(output: BaseOutput) -> bytes:
    return f"{output.output_as_string(indent=2)}\n".encode()


def _components(content: WheelContent) -> tuple[_Component, ...]:
    """Every package of every resolution once, sorted by name and version."""
    found: dict[ResolvedPackage, set[str]] = {}
    for extra, packages in content.resolved.items():
        for package in packages:
            found.setdefault(package, set()).add(extra)
    ordered = sorted(found, key=lambda each: (each.name, each.version, each.sha256))
    # What is installed without any extra is not told apart.
    return tuple(
        _Component(package=each, extras=() if "" in found[each] else tuple(sorted(found[each]))) for each in ordered
    )


def _bom(content: WheelContent, components: tuple[_Component, ...], *, date: int, tools: Iterable[Tool]) -> Bom:
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.dependency import Dependency

    main = _main(content)
    made = {each.ref: _component(each) for each in components}
    bom = Bom(
        # Replaced as soon as the content is known.
        serial_number=uuid5(NAMESPACE_URL, content.file.sha256),
        metadata=_metadata(content, main, date=date, tools=tools),
        components=made.values(),
    )
    known = {main.bom_ref.value: main.bom_ref} | {each.bom_ref.value: each.bom_ref for each in made.values()}
    bom.dependencies = [
        Dependency(ref=known[ref], dependencies=[Dependency(ref=known[each]) for each in sorted(needed)])
        for ref, needed in sorted(_graph(content, str(main.bom_ref.value)).items())
    ]
    return bom


def _metadata(content: WheelContent, main: Component, *, date: int, tools: Iterable[Tool]) -> BomMetaData:
    from cyclonedx.model import Property
    from cyclonedx.model.bom import BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.lifecycle import LifecyclePhase, PredefinedLifecycle
    from cyclonedx.model.tool import ToolRepository

    said = [Property(name="unmoor:resolved", value=_said(content))]
    said += [
        Property(name=f"unmoor:extra:{extra}", value=f"not resolved: {why}") for extra, why in content.unsolved.items()
    ]
    return BomMetaData(
        timestamp=datetime.fromtimestamp(date, UTC),
        component=main,
        lifecycles=[PredefinedLifecycle(phase=LifecyclePhase.BUILD)],
        tools=ToolRepository(
            components=[
                Component(type=ComponentType.APPLICATION, name=tool.name, version=tool.version) for tool in tools
            ]
        ),
        properties=said,
    )


def _said(content: WheelContent) -> str:
    """Say what the list of dependencies is, and what it is not."""
    where = describe_target(content.target)
    if not any(content.resolved.values()):
        return f"This wheel needs no other package with {where}."
    return (
        f"As resolved at release: the versions and files that installing this wheel with {where} chose then. They are"
        " not part of the wheel; another day or another machine may get others. What only an extra brings is optional,"
        f" with the property {_EXTRA}; each extra was resolved on its own."
    )


def _main(content: WheelContent) -> Component:
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType

    purl = _purl(content.name, content.version)
    return Component(
        type=ComponentType.LIBRARY,
        bom_ref=f"{purl.to_string()}?file_name={content.file.name}",
        name=content.name,
        version=content.version,
        description=clean(content.described.summary) or None,
        purl=purl,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=content.file.sha256)],
        licenses=_licences(content.described),
        properties=[_property(_FILE, content.file.name)],
        external_references=_embedded(content),
    )


def _component(each: _Component) -> Component:
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentScope, ComponentType

    package = each.package
    described = describe(package.metadata)
    said = [_property(_FILE, package.file)] if package.file else []
    said += [_property(_EXTRA, extra) for extra in each.extras]
    if described is None:
        said.append(_property(_NO_METADATA, "not known: the index does not serve the metadata of this file"))
    return Component(
        type=ComponentType.LIBRARY,
        bom_ref=each.ref,
        name=package.name,
        version=package.version or None,
        scope=ComponentScope.OPTIONAL if each.extras else ComponentScope.REQUIRED,
        purl=_purl(package.name, package.version),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=package.sha256)] if package.sha256 else [],
        licenses=_licences(described) if described is not None else [],
        properties=said,
    )


def _graph(content: WheelContent, main: str) -> Mapping[str, set[str]]:
    """What needs what, by reference, in any of the resolutions. What is not known of a package is left out."""
    own = canonicalize_name(content.name)
    environment = environment_of(content.target)
    found: dict[str, set[str]] = {main: set()}
    for extra, packages in content.resolved.items():
        refs = {each.name: _Component(package=each, extras=()).ref for each in packages} | {own: main}
        read = edges(own, content.described.requires, packages, extra=extra, environment=environment)
        for name, needed in read.items():
            found.setdefault(refs[name], set()).update(refs[each] for each in needed)
    return found


def _licences(described: PackageDetails) -> list[License]:
    """The licence that metadata declares: an SPDX expression, else the words of its author, else its classifiers."""
    from cyclonedx.model.license import DisjunctiveLicense, LicenseAcknowledgement, LicenseExpression

    declared = LicenseAcknowledgement.DECLARED
    if described.expression:
        try:
            expression = canonicalize_license_expression(described.expression)
        except InvalidLicenseExpression:
            return [DisjunctiveLicense(name=clean(described.expression, _LONGEST_LICENCE), acknowledgement=declared)]
        return [LicenseExpression(expression, acknowledgement=declared)]
    words = [described.licence] if "\n" not in described.licence else []
    named = [text for each in words if (text := clean(each, _LONGEST_LICENCE)).strip() and text.upper() != "UNKNOWN"]
    if not named:
        classifiers = (each for each in described.classifiers if each.startswith("License :: "))
        named = sorted({clean(each.rpartition(" :: ")[2], _LONGEST_LICENCE) for each in classifiers})
    return [DisjunctiveLicense(name=each, acknowledgement=declared) for each in named]


def _embedded(content: WheelContent) -> list[ExternalReference]:
    """The bills of materials in the wheel, by their path in it."""
    from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri

    return [
        ExternalReference(
            type=ExternalReferenceType.BOM,
            url=XsUri(each.path),
            comment=f"in the wheel (PEP 770), {each.format}",
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each.sha256)],
        )
        for each in content.embedded
        if not each.fault
    ]


def _property(name: str, value: str) -> Property:
    from cyclonedx.model import Property

    return Property(name=name, value=value)


def _purl(name: str, version: str) -> PackageURL:
    from packageurl import PackageURL

    return PackageURL(type="pypi", name=canonicalize_name(name), version=version or None)
