"""The control plane: attachment, prediction, tiers and the strategies that decide where containers go."""
