"""How pandas is told to read the numbers of a CSV file to the last bit, which it does by itself from 3.1 on."""

from __future__ import annotations

from typing import Any

import pandas as pd

EXACT: dict[str, Any] = {} if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1) else {"float_precision": "round_trip"}
"""To hand to `pandas.read_csv`, wherever numbers are read."""
