"""Numbers with a meaning that several floors share: answers of a strategy that are no server, and the most tiers."""

MOST_TIERS = 8
"""Tiers of servers that a deployment can have."""

MOST_PREFETCHED = 8
"""Servers that an image can be wanted on ahead of time."""

NO_CELL = -1
"""No cell: the road ahead does not enter the area, or nothing is known of it."""

NO_SERVER = -1
"""No server: no target, nothing granted, or not deployed."""

KEEP = -2
"""No new home: the container stays on its host and requests are relayed."""

CLOUD = -3
"""The cloud's image set as the source of an image; it is no server."""
