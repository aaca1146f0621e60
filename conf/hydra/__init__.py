"""What is chosen of Hydra itself."""
