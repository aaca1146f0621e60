"""What `benchmark_matching.py` measures with."""
