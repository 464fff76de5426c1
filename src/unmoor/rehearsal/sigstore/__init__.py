"""A Sigstore instance: Fulcio, which certifies keys and logs the certificates, and version 1 of Rekor.

It accepts, refuses and answers as the public instance does, and trusts the ID tokens of the local issuer. Its keys and
its log are in its folder; the world's ``trust.json`` has its address and its keys for Sigstore's clients. They are made
when the first ID token to sign with is requested: a world in which nothing is signed does not pay for them.

Why no other implementation: the real servers need databases and a key management service, and the npm package
``@sigstore/mock`` only answers calls within one process. Begin with `app`.
"""
