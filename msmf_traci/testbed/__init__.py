"""The testbed: real containers that really migrate, between hosts that are network namespaces. Knows nothing of SUMO."""
