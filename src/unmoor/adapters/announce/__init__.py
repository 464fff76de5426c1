"""Announcements by apprise, which runs only in a child process. Begin with `pool`, then read `child`.

apprise has a log with whole addresses in it, keeps what a service answers to itself, and cannot be stopped while a
server is slow. So the child says nothing but names, results and times, and it is ended at a deadline.
"""
