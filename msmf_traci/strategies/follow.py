"""`follow`: the container is wherever the user is; nothing is copied ahead (always migrate, a baseline of the literature)."""

from __future__ import annotations

from msmf_traci.migration.kernel import Now
from msmf_traci.sentinels import NO_SERVER
from msmf_traci.strategies.strategy import Strategy


class Follow(Strategy):
    """The container is wherever the user is; nothing is copied ahead."""

    name = "follow"
    each_frame = False

    @staticmethod
    def kernel(now: Now) -> tuple[int, int]:
        """Home: the attached home."""
        return now.look.home, NO_SERVER
