"""Start players on a machine that has Python alone, without this package installed."""
