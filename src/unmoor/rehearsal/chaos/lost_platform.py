"""A round whose built images lack a platform: its record is that of a run which built all the others."""

from __future__ import annotations

from unmoor.artifacts.belief import Belief
from unmoor.artifacts.notebook import StateNotebook
from unmoor.artifacts.run_dir import BUILT_IMAGES, RunFolder
from unmoor.filesystem.safe_folder import remove
from unmoor.images.image_record import read_record, write_build_record
from unmoor.products import Images
from unmoor.rehearsal.chaos.folders import WorldFolder
from unmoor.rehearsal.invariants.evidence import Expected


def lose_platform(folder: WorldFolder, expected: Expected) -> bool:
    """Take every image of the last platform out of the record of what was built. Return whether there was a record.

    Nothing is left of the record if there was one platform only. What the engine holds stays: other rounds need it.
    """
    notebook = StateNotebook.of(
        expected.repository, expected.tag, expected.commit, checkout=folder.checkout, state=folder.state / "unmoor"
    )
    run = RunFolder(folder.run, Belief(notebook=notebook))
    record = read_record(run)
    if record is None or not record.images:
        return False
    last = record.images[-1].platform
    kept = tuple(each for each in record.images if each.platform != last)
    write_build_record(run, record.commit, record.wheels, Images(images=kept))
    if not kept:
        remove(run.path / BUILT_IMAGES)
    return True
