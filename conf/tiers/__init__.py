"""The deployments to choose from."""
