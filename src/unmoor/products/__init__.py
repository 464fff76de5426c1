"""The products: frozen values that stages give each other, a module a subject.

Every room above may import them; they import the engine and the small tools alone. Begin with `release`, which every
stage is handed, then `dists`. Each says in one line what it is (`summary`), for whoever shows it.

Paths never take part in equality: the same bytes in another folder are the same product.
"""

from unmoor.products.access import Access, Certainty, Finding
from unmoor.products.dists import CheckedDists, Dists, File, Subject, Tool
from unmoor.products.forge import Asset, Draft, PublishedRelease
from unmoor.products.images import Image, Images, MovedTag, MovedTags, Pushed, PushedImage
from unmoor.products.index import Uploaded
from unmoor.products.proof import Proof, Result, Verdict
from unmoor.products.release import Notes, Release
from unmoor.products.verified import Verified, VerifiedItem

__all__ = [
    "Access",
    "Asset",
    "Certainty",
    "CheckedDists",
    "Dists",
    "Draft",
    "File",
    "Finding",
    "Image",
    "Images",
    "MovedTag",
    "MovedTags",
    "Notes",
    "Proof",
    "PublishedRelease",
    "Pushed",
    "PushedImage",
    "Release",
    "Result",
    "Subject",
    "Tool",
    "Uploaded",
    "Verdict",
    "Verified",
    "VerifiedItem",
]
