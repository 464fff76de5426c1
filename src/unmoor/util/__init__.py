"""Small tools without a subject: text for a terminal, secrets, threads, digests.

Every room may import it; it imports only `unmoor.errors`. Begin with `text`: nothing untrusted is printed without it.
"""
