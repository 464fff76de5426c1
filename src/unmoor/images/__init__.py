"""What the stages and commands about images share: names, Dockerfiles, manifests, legs, tags, and what to clean.

The stages and commands about images import it; it reaches engines and registries through ports alone. Begin
with `image_plan`, which says which image goes where; `tags` holds the rule language of tags.
"""
