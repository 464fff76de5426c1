"""unmoor: one ``v*`` tag in; a wheel and an sdist on the index and a release on the forge out."""
