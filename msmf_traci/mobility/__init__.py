"""Where the vehicles are: one `Frame` a simulation step, from whatever source."""
