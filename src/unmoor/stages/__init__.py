"""One stage a module; they never import each other."""
