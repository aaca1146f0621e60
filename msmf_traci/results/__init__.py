"""From the ledger to tidy tables on disk, and the few lines that a person reads at the end."""

RESULTS = "results"
"""The folder of results, in the working folder."""
