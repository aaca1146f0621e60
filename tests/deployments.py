"""The paper's deployment for tests: a local server a cell, a regional one for every region of some rings."""

from msmf_traci.deployment.areas import TierPlan, lay_servers
from msmf_traci.deployment.cells import Cells
from msmf_traci.deployment.servers import Servers

LOCAL, REGIONAL = 0, 1


def two_tiers(cells: Cells, rings: int) -> Servers:
    return lay_servers(cells, [TierPlan("local", "cell"), TierPlan("regional", "rings", rings=rings)])
