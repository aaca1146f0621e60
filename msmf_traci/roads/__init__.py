"""The road map: roads, how they join, and which road passes through which cell."""
