"""The pages' templates, styles and scripts."""
