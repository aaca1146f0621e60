"""Presets over everything."""
