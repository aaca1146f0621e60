"""The data plane: containers, their migrations and the ledger of what they cost; servers, cells and strategies are numbers to it."""
