"""The implementations of the ports, one folder or module for each.

Only the factory, the command line and the rehearsal choose adapters. The packages that decide never import them. Begin
with `factory`, which creates the services of a run.
"""
