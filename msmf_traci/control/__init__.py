"""The control plane: attachment, status updates, which road lies ahead, tiers: what is known of vehicles, from which strategies decide."""
