"""The fault layer of the local world: servers that fail where a plan says, and a record of what was met.

A *plan* is a file in the world's folder, a list of *injections*. Each names a fault and its address: a service, a route
of it and the nth request of that route, so that it meets the same request in every run, although stages run in
threads. The layer is in front of every server, so it knows whether the request's work was done when it fails. What
was met is written down, and so is what was not.

Begin with `injection`, then `catalogue`, which has every fault by name; `control` is for whoever writes plans, `layer`
for the servers.
"""
