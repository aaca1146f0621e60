"""A slow, plain second implementation of model.md (container migration between MEC servers), written from the text alone.

    recompute(run_dir, net_file, route_file) -> Recomputed

Standard library only, but PyYAML for a plan from a file. Every function names the section of model.md, or the reading of model-notes.md,
that it implements. Metres, seconds, bytes inside; conversion in `Options`. Not covered: variants (more than one combination of options in a
run), and the strategies `lead` and `offline`.

options, lattice (cells and servers), roads (network and chains), frames (traces, reports), strategies (decisions, hits), baselines (those of
the literature), bound (of what a trip costs), plans (steps of a migration), container (state machine), layers and stores (what servers hold
and what comes there), images (copies), admission and servers (capacities), links (shared rates), network (paths), world (one strategy's run,
tables).
"""

from .bound import Weights
from .frames import Frame, Known, known_at
from .lattice import Lattice, Server, square_distance
from .links import fair_rates, fill
from .network import Network
from .options import Options
from .roads import Edge, RoadMap, read_network
from .servers import NoRoomError, Servers
from .stores import Stores
from .strategies import STRATEGIES, Now, Strategist
from .world import Recomputed, recompute

__all__ = [
    "STRATEGIES",
    "Edge",
    "Frame",
    "Known",
    "Lattice",
    "Network",
    "NoRoomError",
    "Now",
    "Options",
    "Recomputed",
    "RoadMap",
    "Server",
    "Servers",
    "Stores",
    "Strategist",
    "Weights",
    "fair_rates",
    "fill",
    "known_at",
    "read_network",
    "recompute",
    "square_distance",
]
