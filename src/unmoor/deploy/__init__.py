"""What users expect of a release besides its files: documentation, a demo, a service that runs it, and a message.

Each has a folder. `docs`, `space`, `service` and `announce` decide what is there, what differs and what is done about
it, on values and through ports alone. The stages of the same names run them. A release imports only what its settings
ask for. Begin with `unmoor.deploy_stages`, which builds the stages.
"""
