"""Which layers an image consists of. Model, section 5.

Images that have layers in common are numbered. A private image (-1) is one layer that no other container has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.compiled import compiled
from msmf_traci.migration.container import Container

PRIVATE = -1


class Catalogue(NamedTuple):
    """Images and their layers.

    Attributes
    ----------
    start, layer
        The layers of image i, in the order in which they are sent, are `layer[start[i]:start[i + 1]]`.
    bytes
        Of each layer, shape (layers,); layers are numbered in the order of their names.
    """

    start: IntArray
    layer: IntArray
    bytes: FloatArray


def catalogue_of(images: Iterable[Mapping[str, float]]) -> Catalogue:
    """Images given as bytes by the names of their layers; a name stands for the same layer wherever it occurs."""
    images = list(images)
    sizes = {name: size for image in images for name, size in image.items()}
    names = sorted(sizes)
    numbers = {name: number for number, name in enumerate(names)}
    start = np.cumsum([0, *(len(image) for image in images)]).astype(np.int64)
    layer: IntArray = np.array([numbers[name] for image in images for name in image], dtype=np.int64)
    return Catalogue(start, layer, np.array([sizes[name] for name in names], dtype=np.float64))


@compiled
def layers_of(c: Container, catalogue: Catalogue) -> int:
    """How many layers the image of a container has."""
    return 1 if c.image < 0 else int(catalogue.start[c.image + 1] - catalogue.start[c.image])


@compiled
def layer_of(c: Container, place: int, catalogue: Catalogue) -> int:
    """Number of a layer of a container's image, by its place in the image; private ones have numbers behind those of all others."""
    if c.image < 0:
        return int(len(catalogue.bytes) + c.vehicle)
    return int(catalogue.layer[catalogue.start[c.image] + place])


@compiled
def bytes_of(c: Container, layer: int, catalogue: Catalogue) -> float:
    """Bytes of a layer of a container's image."""
    return float(c.image_bytes if c.image < 0 else catalogue.bytes[layer])


@compiled
def has_layer(c: Container, layer: int, catalogue: Catalogue) -> bool:
    """Whether a layer belongs to a container's image."""
    found = False
    for place in range(layers_of(c, catalogue)):
        found = found or layer_of(c, place, catalogue) == layer
    return found
