"""HTTP with limits: a deadline and a size for every exchange, no redirect and no login nobody asked for.

The adapters that talk to servers import it, and nothing else opens a connection. Begin with `session`.
"""
