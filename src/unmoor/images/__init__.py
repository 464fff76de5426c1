"""What the stages and commands about images share: names, Dockerfiles, manifests, legs, tags and cleanup.

It reaches engines and registries only through ports. Begin with `image_plan`, which says which image goes where;
`tags` holds the rule language of tags.
"""
