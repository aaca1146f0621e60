"""Parameters of the scenarios that are made rather than loaded."""
