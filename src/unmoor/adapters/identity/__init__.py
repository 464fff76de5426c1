"""The identity of this job: ID tokens (OpenID Connect) from the CI, and what they say.

Trusted publishing exchanges such a token on an index, and signing for a certificate. Begin with `ambient`.
"""
