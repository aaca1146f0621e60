"""What a migration costs beside bytes: presets to choose from."""
