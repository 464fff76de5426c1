"""What the stages and commands about images share: names, Dockerfiles, manifests, legs, tags, and what to clean."""
