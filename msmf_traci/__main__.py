"""`python -m msmf_traci`, the same as `msmf-traci`."""

import sys

from msmf_traci.commands.entry import main

sys.exit(main())
