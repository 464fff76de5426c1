"""What a release says of the emergencies in which it was made: in its manifest, in assets of their own, in its text.

The manifest never changes once it is complete. An emergency that begins after that is an asset of its own, named by the
digest of what it says, so that each emergency has one and none replaces another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256

import msgspec

from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.events import Report
from unmoor.core.outcome import Failed, Planned, Skipped
from unmoor.core.waivers import MOST, Emergency, Gate, GateResult, GateVerdict
from unmoor.ports.forge import Forge, ForgeRelease
from unmoor.products import Proof, Result, Scanned, Verdict
from unmoor.products.proof import REBUILD
from unmoor.publish.release_assets import content_of
from unmoor.util.decode import decode_json
from unmoor.util.text import clean, list_some
from unmoor.util.values import replace

HEAD = "> [!CAUTION]\n> **Emergency release.**"
_NAME = re.compile(r"emergency-[0-9a-f]{16}\.json")
_LIMIT = 100_000
_MOST = 5
_DETAIL = 300
_STAGES = {
    Gate.TESTS: "prove-dists",
    Gate.SMOKE: "prove-images",
    Gate.REPRODUCIBILITY: REBUILD,
    Gate.SCANS: "scan",
}
_LATER = {
    Gate.STAGING: "it comes after this was written",
    Gate.ATTESTATIONS: "this job has no identity, or signs after this was written",
}


def recorded_waiver(folder: RunFolder, gate: Gate) -> bool:
    """Whether the complete manifest of a run folder records an emergency that waived a gate. Raises `Unknown`."""
    manifest = folder.read_manifest()
    return manifest is not None and manifest.waives(gate)


def list_waived(proof: Proof) -> str:
    """What of a proof was waived, for a message."""
    return list_some([f"{clean(each.name)}: {clean(each.detail)}" for each in proof.waived], 3)


def with_results(emergency: Emergency, products: Mapping[str, object]) -> Emergency:
    """Return the emergency with the result of each gate, as far as the products of a run, by stage, tell it."""
    return replace(emergency, results=tuple(_result(emergency, gate, products) for gate in emergency.gates))


def _result(emergency: Emergency, gate: Gate, products: Mapping[str, object]) -> GateResult:
    if (known := emergency.result(gate)) is not None:
        return known
    match products.get(_STAGES.get(gate, "")):
        case Proof(results=results):
            return _of_proof(gate, results)
        case Scanned() as scanned:
            return _of_scan(gate, scanned)
        case _:
            why = _LATER.get(gate, "this run has no such stage")
            return GateResult(gate=gate, verdict=GateVerdict.NOT_RUN, detail=why)


def final_results(emergency: Emergency, report: Report) -> Emergency:
    """Return the emergency with the result of each gate at the end of a run."""
    products = {each.info.name: report.product(each.info.name) for each in report.stages}
    known = {each.gate: each for each in with_results(emergency, products).results}
    for gate in (Gate.STAGING, Gate.ATTESTATIONS, *_STAGES):
        if gate in known and emergency.result(gate) is None:
            known[gate] = _of_outcomes(gate, known[gate], report)
    return replace(emergency, results=tuple(known.values()))


_ENDED = {
    Gate.STAGING: ("testpypi", "prove-testpypi"),
    Gate.ATTESTATIONS: ("sign",),
    Gate.SCANS: ("scan", "scan-images"),
    Gate.TESTS: ("prove-dists",),
    Gate.SMOKE: ("prove-images",),
    Gate.REPRODUCIBILITY: (REBUILD,),
}


def _of_outcomes(gate: Gate, known: GateResult, report: Report) -> GateResult:
    """The result of a gate whose stages failed or did not run; else what is known, or passed."""
    outcomes = [(name, report.outcome(name)) for name in _ENDED[gate]]
    for name, outcome in outcomes:
        match outcome:
            case Failed(error):
                detail = clean(f"{name}: {error.what}", _DETAIL)
                return GateResult(gate=gate, verdict=GateVerdict.FAILED, detail=detail)
            case Skipped(why) | Planned(why):
                return GateResult(gate=gate, verdict=GateVerdict.NOT_RUN, detail=clean(f"{name}: {why}", _DETAIL))
            case _:
                continue
    if gate in {Gate.STAGING, Gate.ATTESTATIONS} and any(outcome is not None for _, outcome in outcomes):
        return GateResult(gate=gate, verdict=GateVerdict.PASSED)
    return known


def _of_proof(gate: Gate, results: Iterable[Result]) -> GateResult:
    by = {verdict: [each for each in results if each.verdict is verdict] for verdict in Verdict}
    waived = by[Verdict.WAIVED]
    failed = [*by[Verdict.FAILED], *(each for each in waived if each.detail.startswith(GateVerdict.FAILED))]
    if failed or waived:
        verdict, told = (GateVerdict.FAILED, failed) if failed else (GateVerdict.NOT_RUN, waived)
        detail = list_some([f"{each.name}: {each.detail.removeprefix(f'{verdict}: ')}" for each in told], 3)
        return GateResult(gate=gate, verdict=verdict, detail=clean(detail, _DETAIL))
    if by[Verdict.PASSED]:
        return GateResult(gate=gate, verdict=GateVerdict.PASSED)
    detail = next((each.detail for each in by[Verdict.NOT_TESTED]), "nothing was tested")
    return GateResult(gate=gate, verdict=GateVerdict.NOT_RUN, detail=clean(detail, _DETAIL))


def _of_scan(gate: Gate, scanned: Scanned) -> GateResult:
    if scanned.counting:
        found = list_some([f"{each.file}: {each.id}" for each in scanned.counting], 3)
        return GateResult(gate=gate, verdict=GateVerdict.FAILED, detail=clean(found, _DETAIL))
    if scanned.unknown:
        why = "; ".join(f"{each.kind}: {each.why}" for each in scanned.unknown)
        return GateResult(gate=gate, verdict=GateVerdict.NOT_RUN, detail=clean(why, _DETAIL))
    return GateResult(gate=gate, verdict=GateVerdict.PASSED)


def encode(emergency: Emergency) -> tuple[str, bytes]:
    """The name and the bytes of an asset that records an emergency."""
    data = msgspec.json.format(msgspec.json.encode(emergency, order="sorted"), indent=2) + b"\n"
    return f"emergency-{sha256(data).hexdigest()[:16]}.json", data


def is_record(name: str) -> bool:
    """Whether an asset of that name records an emergency."""
    return _NAME.fullmatch(name) is not None


def recorded(manifest: Manifest, there: ForgeRelease | None, forge: Forge) -> tuple[Emergency, ...]:
    """The emergencies that a manifest and the assets of a release record, the manifest's first. Raises `Unknown`.

    An asset that is no such record, or not named as one, counts for nothing.
    """
    found = [manifest.emergency] if manifest.emergency is not None else []
    assets = sorted(there.assets, key=lambda each: each.id) if there is not None else []
    named = [each for each in assets if each.uploaded and each.size <= _LIMIT and is_record(each.name)]
    for asset in named[:_MOST]:
        data = content_of(asset, forge, limit=_LIMIT)
        try:
            emergency = decode_json(data, Emergency)
        except ValueError:
            continue
        if encode(emergency) == (asset.name, data) and not any(map(emergency.is_same, found)):
            found.append(emergency)
    return tuple(found)


def text_of(emergency: Emergency) -> str:
    """The paragraph of a release's text: one block of Markdown in which the words of people add no markup."""
    by = f"Released by {_code(emergency.actor)}, according to {emergency.actor_from}."
    lines = ["", _code(emergency.reason, MOST), "", by, ""]
    if emergency.gates:
        results = [each for gate in emergency.gates if (each := emergency.result(gate)) is not None]
        lines += ["These checks did not have to pass:", ""]
        lines += [
            f"- {each.gate}: {each.verdict}{f': {_code(each.detail)}' if each.detail else ''}" for each in results
        ]
    else:
        lines += ["Every check had to pass."]
    return "\n".join([HEAD, *(f"> {line}".rstrip() for line in lines)])


def _code(text: str, limit: int = _DETAIL) -> str:
    """Plain text as a span of code: it has no markup and no links in it, and notifies nobody."""
    line = clean(text, limit) or "-"
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    pad = " " if "`" in (line[0], line[-1]) else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def without_text(body: str) -> str:
    """The text of a release without the paragraphs of `text_of` at its beginning."""
    lines = body.replace("\r\n", "\n").split("\n")
    while "\n".join(lines[:2]) == HEAD:
        quoted = next((number for number, line in enumerate(lines) if not line.startswith(">")), len(lines))
        lines = lines[quoted:]
        while lines and not lines[0].strip():
            lines = lines[1:]
    return "\n".join(lines)
