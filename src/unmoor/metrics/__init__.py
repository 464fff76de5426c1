"""Figures about a project and its pipeline: how fast its code is, how its runs went, what its tests cover.

`compare` decides whether a change made something slower. The other rooms keep figures for as long as the project wants
them, read them from the forge and from files of other tools, and judge them. They decide on values and talk to the
outside through ports alone: nothing here starts a program or opens a connection. Begin with `compare`.
"""
