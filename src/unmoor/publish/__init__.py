"""What the stages that publish share: uploading, release assets, comparing surfaces with the manifest.

Stages and `cli` import it; it decides what is the same, absent or in conflict, and reaches surfaces through ports
alone. Begin with `compare`, which judges every surface, then `upload`.
"""
