"""Try every plan of many small worlds in the engine: none may cost less than the bound (docs/model.md, section 14).

python scripts/check_bound.py --worlds 1000 --frames 4 --servers 3
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.migration.brute_worlds import best_of, draw_world, drawn_plans

_WITHIN = 1e-9


def main() -> None:
    """Print what was found; ends with 1 if a plan costs less than the bound."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=1000, help="how many worlds")
    parser.add_argument("--frames", type=int, default=4, help="frames of each trip; every one more takes up to 28 times as long")
    parser.add_argument("--servers", type=int, default=3, help="servers of each world")
    parser.add_argument("--drawn", type=int, help="draw so many plans, in place of trying all of them: for larger worlds")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    typed = parser.parse_args()
    rng, begin = np.random.default_rng(typed.seed), time.monotonic()
    below, reached, with_two_moves, bounds, bests = 0, 0, 0, [], []
    for number in range(typed.worlds):
        world = draw_world(rng, typed.frames, typed.servers)
        bound = float(world.bound().cost[0])
        best, most = best_of(world, None if typed.drawn is None else drawn_plans(world, rng, typed.drawn))
        if bound > best + _WITHIN:
            below += 1
            print(f"world {number}: a plan costs {best:.9f}, less than the bound {bound:.9f}: {world}")
        reached += bound > best - _WITHIN
        with_two_moves += most >= 2
        bounds.append(bound)
        bests.append(best)
    print(
        f"{typed.worlds} worlds of {typed.frames} frames and {typed.servers} servers in {time.monotonic() - begin:.0f} s, seed {typed.seed}"
    )
    print(f"{with_two_moves} have plans with two completed moves; the bound is reached in {reached}; it is too high in {below}")
    print(f"mean bound {np.mean(bounds):.3f}, mean cost of the best plan {np.mean(bests):.3f}")
    sys.exit(1 if below else 0)


if __name__ == "__main__":
    main()
