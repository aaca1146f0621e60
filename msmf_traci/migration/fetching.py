"""How an image comes to a server: layer by layer, by a transfer or by a copy, from wherever it is sent. Model, section 7.

A server has a layer, or somebody brings it, or it is not there. A container brings those that nobody else brings, one after another, and
waits for the others. What is sent is a flow: that of the container's transfer, or a copy.
"""

from __future__ import annotations

import numpy as np

from msmf_traci.compiled import compiled
from msmf_traci.deployment.server_map import ServerMap, hops_to, path_ms
from msmf_traci.migration.catalogue import bytes_of, layer_of, layers_of
from msmf_traci.migration.container import Container
from msmf_traci.migration.flow import Flow, begin_flow, sent_bytes, wait
from msmf_traci.migration.links import rate_between, rate_of_one_more
from msmf_traci.migration.policy import CLOUD_IS_SOURCE, NEAREST_IS_SOURCE
from msmf_traci.migration.scene import Scene, most_image_bytes
from msmf_traci.migration.store import NOBODY, add, drop_expired, find, forget, leave_alone, make_room, row, use, whole
from msmf_traci.sentinels import CLOUD


@compiled
def row_of_layer(c: Container, place: int, server: int, t_s: float, scene: Scene) -> int:
    """Number of the row of a layer of the image on a server, or -1."""
    images = scene.state.images
    return find(images.store, server, layer_of(c, place, images.catalogue), t_s, scene.policy.images.retain_s)


@compiled
def missing_at(c: Container, server: int, t_s: float, scene: Scene) -> float:
    """Bytes of the image that a server lacks, without what others are bringing to it at the moment and have not completed."""
    images, missing = scene.state.images, 0.0
    for place in range(layers_of(c, images.catalogue)):
        number = row_of_layer(c, place, server, t_s, scene)
        if number < 0:
            missing += bytes_of(c, layer_of(c, place, images.catalogue), images.catalogue)
        else:
            missing += row(images.store, number).missing_bytes
    return missing


@compiled
def has_room_for_image(c: Container, server: int, t_s: float, scene: Scene) -> bool:
    """Whether an image has room on a server, once layers that nobody uses, and that do not belong to it, have gone."""
    images, most = scene.state.images, most_image_bytes(server, scene)
    if most == np.inf:
        return True
    needed = images.store.in_use[server]
    for place in range(layers_of(c, images.catalogue)):
        number = row_of_layer(c, place, server, t_s, scene)
        if number < 0 or row(images.store, number).users == 0:
            needed += whole(bytes_of(c, layer_of(c, place, images.catalogue), images.catalogue))
    return bool(needed <= most)


@compiled
def use_image(c: Container, server: int, t_s: float, scene: Scene) -> float:
    """From now on a container uses its image on a server, and brings what nobody else has or brings; bytes that are missing.

    There is room for it (`has_room_for_image`).
    """
    images, missing, needed, is_new = scene.state.images, 0.0, 0, False
    layers = layers_of(c, images.catalogue)
    for place in range(layers):
        number = row_of_layer(c, place, server, t_s, scene)
        if number >= 0:
            use(images.store, number)
            missing += row(images.store, number).missing_bytes
        else:
            needed += whole(bytes_of(c, layer_of(c, place, images.catalogue), images.catalogue))
            is_new = True
    if not is_new:
        return missing
    most = most_image_bytes(server, scene)
    if most < np.inf:
        drop_expired(images.store, server, t_s, scene.policy.images.retain_s)
        make_room(images.store, server, needed, most, t_s)
    for place in range(layers):
        if row_of_layer(c, place, server, t_s, scene) < 0:
            layer = layer_of(c, place, images.catalogue)
            size = bytes_of(c, layer, images.catalogue)
            use(images.store, add(images.store, server, layer, size, c.vehicle, t_s))
            missing += size
    return missing


@compiled
def use_deployed_image(c: Container, server: int, t_s: float, scene: Scene) -> float:
    """The whole image is on a server at once, for the first deployment; bytes that were missing."""
    missing = use_image(c, server, t_s, scene)
    for place in range(layers_of(c, scene.state.images.catalogue)):
        _complete(row_of_layer(c, place, server, t_s, scene), scene)
    return missing


@compiled
def leave_image(c: Container, server: int, t_s: float, scene: Scene) -> None:
    """A container does not use its image on a server any more. A layer that it was bringing is left to those who wait for it."""
    store = scene.state.images.store
    for place in range(layers_of(c, scene.state.images.catalogue)):
        number = row_of_layer(c, place, server, t_s, scene)
        held = row(store, number)
        _leave_row(number, t_s, scene)
        if held.users > 0 and held.receiver == c.vehicle:
            held.receiver = NOBODY
            store.changed.append(number)


@compiled
def _leave_row(number: int, t_s: float, scene: Scene) -> None:
    """One user fewer. What nobody uses is kept for a time if it is complete, and goes at once if it is not."""
    store = scene.state.images.store
    if leave_alone(store, number, t_s) and (not row(store, number).is_complete or scene.policy.images.retain_s <= 0):
        forget(store, number, t_s)


@compiled
def _complete(number: int, scene: Scene) -> None:
    """A layer is complete; those who wait for it are told (`course.py`)."""
    held = row(scene.state.images.store, number)
    if not held.is_complete:
        held.is_complete = True
        held.missing_bytes = 0.0
        held.receiver = NOBODY
        if held.users > 1:
            scene.state.images.store.changed.append(number)


@compiled
def go_on(flow: Flow, kind: int, c: Container, server: int, t_s: float, scene: Scene) -> bool:
    """Begin with the next layer that the container brings to a server, or wait for those that others bring; False where nothing is missing.

    Parameters
    ----------
    flow, kind
        The transfer's, or a copy; TRANSFERS or COPIES.
    c, server, t_s, scene
        The container, the server, the instant, and what the container stands in.
    """
    store, waits = scene.state.images.store, False
    flow.layer = -1
    wait(flow)
    for place in range(layers_of(c, scene.state.images.catalogue)):
        number = row_of_layer(c, place, server, t_s, scene)
        held = row(store, number)
        if held.is_complete or held.missing_bytes == 0:  # an image may be empty
            continue
        if held.receiver == c.vehicle:
            flow.layer = place
            flow.layer_before_bytes = 0.0
            _choose_source(flow, kind, c, number, t_s, scene)
            begin_flow(flow, max(t_s, flow.ready_s), held.missing_bytes)
            return True
        waits = True
    return waits


@compiled
def end_layer(flow: Flow, c: Container, server: int, t_s: float, scene: Scene) -> float:
    """The flow's layer ends, complete or not; bytes that were sent, with memory where the flow goes on with that."""
    if flow.layer < 0:
        return 0.0
    number = row_of_layer(c, flow.layer, server, t_s, scene)
    held = row(scene.state.images.store, number)
    is_whole = flow.done_s <= t_s
    sent = flow.to_send_bytes if is_whole else sent_bytes(flow, t_s)
    of_layer = sent + flow.layer_before_bytes
    if not held.is_complete:  # else a first deployment has completed it meanwhile
        of_layer = held.missing_bytes if is_whole else min(sent + flow.layer_before_bytes, held.missing_bytes)
        if of_layer == held.missing_bytes:
            _complete(number, scene)
        else:
            held.missing_bytes -= of_layer
    if flow.source == CLOUD:
        flow.cloud_bytes += of_layer
    elif flow.source == c.host:
        flow.host_bytes += of_layer
    else:
        flow.other_bytes += of_layer
    give_back(flow, t_s, scene)
    flow.layer = -1
    return float(sent)


@compiled
def give_back(flow: Flow, t_s: float, scene: Scene) -> None:
    """A layer is no longer read where it came from."""
    if flow.lender >= 0:
        _leave_row(flow.lender, t_s, scene)
        flow.lender = -1


@compiled
def take_from(flow: Flow, kind: int, source: int, server: int, scene: Scene) -> None:
    """What is sent to a server comes from another source from now on."""
    if source != flow.source:
        flow.source = source
        if scene.policy.links.is_shared:
            flow.rate_bytes_per_s = rate_of_one_more(kind, source, server, scene)
        else:
            flow.rate_bytes_per_s = rate_between(source, server, scene.policy, scene.server_map)


@compiled
def _choose_source(flow: Flow, kind: int, c: Container, number: int, t_s: float, scene: Scene) -> None:
    """Where the layer of a row is sent from."""
    store, server_map, retain_s = scene.state.images.store, scene.server_map, scene.policy.images.retain_s
    server, layer = row(store, number).server, row(store, number).layer
    source, lender = c.host, -1
    if scene.policy.images.source == CLOUD_IS_SOURCE:
        source = CLOUD
    elif scene.policy.images.source == NEAREST_IS_SOURCE:
        source, least = CLOUD, np.inf
        other = store.first_alike[layer]
        while other >= 0:
            held = row(store, other)
            if held.is_complete and (held.users > 0 or t_s - held.unused_since_s < retain_s):
                away = _away(held.server, server, server_map)
                if away < least or (away == least and _goes_first(held.server, source, c.host, server_map)):
                    source, least, lender = held.server, away, other
            other = held.next_alike
        if source == c.host or source == CLOUD:
            lender = -1
        else:
            use(store, lender)
    flow.lender = lender
    take_from(flow, kind, source, server, scene)


@compiled
def _away(source: int, server: int, server_map: ServerMap) -> float:
    """How far one server is from another: latency of the path, or hops between the nearest cells of their areas."""
    if len(server_map.paths.latency_ns) > 0:
        return path_ms(source, server, server_map)
    least = np.inf
    for k in range(server_map.area_start[source], server_map.area_start[source + 1]):
        hops = hops_to(server, server_map.area_cell[k], server_map)
        if hops >= 0:  # else no way leads there
            least = min(least, float(hops))
    return least


@compiled
def _goes_first(one: int, other: int, host: int, server_map: ServerMap) -> bool:
    """Which of two servers that are equally far sends: the host, or the first by name."""
    return bool(one == host or (other != host and (other < 0 or server_map.name_rank[one] < server_map.name_rank[other])))
