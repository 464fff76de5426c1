"""What is signed for a release, what the signatures are called, and whether a signature is one of the release's own.

Pure: signing and checking are done behind `unmoor.ports.signer`. Begin with `statements`.
"""
