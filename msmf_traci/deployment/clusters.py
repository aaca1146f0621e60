"""Groups of base stations that lie near each other (k-means with a fixed start). Model, section 2."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.cluster.vq import kmeans2

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.deployment.cells import Cells

_CELLS_OF_A_CLUSTER = 19  # on average, as in a region of two rings
_MOST_STEPS = 50


def clusters_of(cells: Cells, many: int | None = None) -> tuple[IntArray, list[str]]:
    """The cluster of each cell, and what clusters are called: by their cell that lies nearest to the middle.

    Parameters
    ----------
    cells
        The cells.
    many
        How many clusters; None: one for every 19 cells, rounded up.
    """
    places = np.column_stack([cells.x_m, cells.y_m])
    start = places[_far_apart(places, -(-len(cells) // _CELLS_OF_A_CLUSTER) if many is None else many)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a cluster that no cell is nearest to: it is left out
        _, cluster = kmeans2(places, start, minit="matrix", iter=_MOST_STEPS)
    numbers, region = np.unique(cluster, return_inverse=True)
    middle = np.column_stack([np.bincount(region, weights=each) for each in places.T]) / np.bincount(region)[:, None]
    away_m = np.hypot(*(places - middle[region]).T)
    order = np.lexsort((away_m, region))
    nearest = order[np.searchsorted(region[order], np.arange(len(numbers)))]
    return region.astype(np.int64), [str(name) for name in cells.names[nearest]]


def _far_apart(places: FloatArray, n: int) -> list[int]:
    """Cells to begin clusters with: the one in the middle, then always the one farthest from all before it."""
    away_m = np.hypot(*(places - places.mean(axis=0)).T)
    chosen = [int(np.argmin(away_m))]
    away_m = np.hypot(*(places - places[chosen[0]]).T)
    while len(chosen) < n:
        chosen.append(int(np.argmax(away_m)))
        away_m = np.minimum(away_m, np.hypot(*(places - places[chosen[-1]]).T))
    return chosen
