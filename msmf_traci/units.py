"""Units of the configuration in SI units (model, section 0)."""

BYTES_PER_MB = 1e6
BYTES_PER_GB = 1e9
BYTES_PER_MBIT = 125_000.0
MPS_PER_KMH = 1 / 3.6
S_PER_MS = 1e-3
