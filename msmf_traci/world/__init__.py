"""What does not move: roads, cells, servers, and which road passes through which cell."""
