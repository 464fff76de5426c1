"""What ``--no-project-code`` refuses, and which job of the release workflow makes what is missing then."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from unmoor import advice
from unmoor.core.pipeline import AnyStage
from unmoor.errors import CheckFailed

OPTION = "--no-project-code"
MADE_BY: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "dists": ("built files", "build", "manifest.json"),
        "prove-dists": ("proof that the files were tested", "test", "proofs/prove-dists.json"),
        "rebuild": ("proof of a second build", "test", "proofs/rebuild.json"),
        "build-docs": ("built documentation", "docs", "manifest.json"),
        "images": ("built images", "image-OS-ARCH", "images.json"),
        "prove-images": ("proof that the images were tested", "image-OS-ARCH", "images.json"),
        "prove-testpypi": ("proof of what the staging index serves", "prove", "proofs/prove-testpypi.json"),
    }
)
"""What each stage that runs project code makes, the job that makes it, and the document that hands it over.

Wheels of several machines come from the jobs ``wheels-SYSTEM``, and `merge` hands them over with their proofs.
"""


def refusal(stage: AnyStage) -> CheckFailed | None:
    """The error for a stage that would run project code; ``None`` for any other."""
    if not stage.runs_project_code:
        return None
    what, job, document = MADE_BY[stage.name]
    jobs = f"`{job}`, or `merge` for wheels of several machines" if job in {"build", "test"} else f"`{job}`"
    return CheckFailed(
        f"there is no {what} here that counts, and to make it would run code of the project, which {OPTION} forbids",
        next_step=advice.HAND_OVER_FROM_JOB(jobs=jobs, document=document),
    )
