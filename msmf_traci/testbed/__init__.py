"""The testbed: real containers that really migrate, between hosts that are network namespaces of one machine."""
