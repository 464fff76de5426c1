"""What a user configured: settings and worlds, parsed once at the edge into frozen values."""
