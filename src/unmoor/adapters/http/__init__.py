"""HTTP with limits: every exchange has a deadline and a maximum size, and follows no redirect by itself.

All adapters that talk to servers use it. Nothing else opens a connection. Begin with `session`.
"""
