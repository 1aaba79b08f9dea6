"""Players as processes: their command line, launch, supervision and end."""
