"""Tables on disk -> statistics, figures, claims, pages. Knows nothing of SUMO or of a running simulation."""
