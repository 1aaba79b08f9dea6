"""Players as processes: command line, launch, supervision, replacement and end."""
