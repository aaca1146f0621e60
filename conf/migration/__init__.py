"""The scenarios to choose from."""
