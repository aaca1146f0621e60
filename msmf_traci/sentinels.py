"""The two answers of a strategy that are no server, said in numbers that no server has; shared by control and data plane."""

NO_SERVER = -1
"""No server: no target, nothing granted, or not deployed."""

KEEP = -2
"""No new home: the container stays on its host and requests are relayed."""
