"""The choices of tiers."""
