"""The engine: what a stage is, the order of a pipeline, and how it runs, is journalled and reported.

It knows nothing of files, indexes or images; every room above `util` may import it. Begin with `stage`, then
`pipeline`; `scheduler` decides what starts, `middleware` wraps each stage.
"""
