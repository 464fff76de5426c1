"""The files of a Space: which they are, whether they may go there, what differs, and how they get there and back.

`examine` looks at the files before anything leaves this machine, `deploying` brings them to the hub. Both read the
truth from what they look at: the commit here, the commits and tags there. Begin with `deploying`.
"""
