"""The data plane: containers, their migrations and the ledger of what they cost. Knows nothing of roads, cells or strategies."""
