"""What stands behind the ports: one folder or module for each.

Only the factory, the command line and the rehearsal choose adapters; what decides never imports them. Begin with
`factory`, which builds the services of a run.
"""
