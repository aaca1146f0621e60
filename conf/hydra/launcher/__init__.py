"""Launchers of sweeps on many cores or machines, ready to choose; each needs the extra of its name."""
