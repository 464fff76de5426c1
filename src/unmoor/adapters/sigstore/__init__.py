"""Sigstore: signing with the identity of a workflow run, and checking such signatures.

All of the protocols is sigstore-python's, and the encoding for indexes is pypi-attestations'. This package adds what
they lack: limits in time and size, retries, and errors that say what to do. Nothing is imported before it is needed,
since sigstore takes 0.3 s. Begin with `attestations`.
"""
