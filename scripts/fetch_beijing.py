#!/usr/bin/env python3
"""Download the map of central Beijing, as `msmf-traci fetch` does: the same options (--server, --out, --bbox, ...)."""

import sys

from msmf_traci.scenario.fetch import main

if __name__ == "__main__":
    sys.exit(main())
