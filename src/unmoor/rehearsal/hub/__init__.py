"""A hub with Spaces, which refuses what the real one refuses: the API that huggingface_hub and unmoor use.

Any Space that is asked for is there, as unmoor never creates one. `spaces` has their state, `app` the routes. Control
files in the folder of the hub let it fail; `spaces.Mood` lists them. Begin with `spaces`.
"""
