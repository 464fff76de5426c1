"""The products: frozen values that stages give each other, one module per subject.

Every room above may import them; they import only `core` and `util`. Begin with `release`, which almost every stage
takes as an input, then read `dists`. Each product has a `summary`: one line of text about it, for the listeners.

Paths are never compared: the same bytes in another folder are the same product.
"""

from unmoor.products.access import Access, Certainty, Finding
from unmoor.products.announced import Announced, AnnouncedTarget, AnnouncedTo
from unmoor.products.deployment import Deployed
from unmoor.products.dists import CheckedDists, Dists, File, Subject, Tool
from unmoor.products.docs import BuiltDocs
from unmoor.products.forge import Asset, Draft, PublishedRelease
from unmoor.products.images import (
    BranchImage,
    Image,
    Images,
    LeftTag,
    MovedTag,
    MovedTags,
    Pushed,
    PushedBranch,
    PushedImage,
    TagPosition,
)
from unmoor.products.index import Uploaded
from unmoor.products.proof import Proof, Result, Verdict
from unmoor.products.provenance import Provenance
from unmoor.products.release import Notes, Release
from unmoor.products.sboms import ImageSbom, ImageSboms, Sboms
from unmoor.products.scan import Level, ScanFinding, Scanned, Unscanned
from unmoor.products.signatures import Signed, SignedImage, SignedImages, SumsSignature
from unmoor.products.space import DeployedSpace, LeftOutFile, SpaceFile, SpaceFiles
from unmoor.products.verified import Verified, VerifiedItem

__all__ = [
    "Access",
    "Announced",
    "AnnouncedTarget",
    "AnnouncedTo",
    "Asset",
    "BranchImage",
    "BuiltDocs",
    "Certainty",
    "CheckedDists",
    "Deployed",
    "DeployedSpace",
    "Dists",
    "Draft",
    "File",
    "Finding",
    "Image",
    "ImageSbom",
    "ImageSboms",
    "Images",
    "LeftOutFile",
    "LeftTag",
    "Level",
    "MovedTag",
    "MovedTags",
    "Notes",
    "Proof",
    "Provenance",
    "PublishedRelease",
    "Pushed",
    "PushedBranch",
    "PushedImage",
    "Release",
    "Result",
    "Sboms",
    "ScanFinding",
    "Scanned",
    "Signed",
    "SignedImage",
    "SignedImages",
    "SpaceFile",
    "SpaceFiles",
    "Subject",
    "SumsSignature",
    "TagPosition",
    "Tool",
    "Unscanned",
    "Uploaded",
    "Verdict",
    "Verified",
    "VerifiedItem",
]
