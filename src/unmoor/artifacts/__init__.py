"""What a release is made of, on disk: the run folder, its files by sha256, the manifest, OCI documents.

Stages, adapters and the rooms that decide import it. Begin with `manifest`, the document of a release, and `run_dir`,
the folder that holds it.
"""
