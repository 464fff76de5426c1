"""Small tools without a subject: text for a terminal, files, secrets, threads, file locks.

Every room may import it; it imports only `unmoor.errors`. Begin with `text`: nothing untrusted is printed without it.
"""
