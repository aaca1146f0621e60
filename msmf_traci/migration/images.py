"""What happens to images that are wanted on servers: copies open, are sent, and end. Model, section 7."""

from __future__ import annotations

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.compiled import compiled
from msmf_traci.deployment.server_map import path_ms
from msmf_traci.migration.container import Container
from msmf_traci.migration.copies import COMING, NOWHERE, PLACES, THERE, Copy, find_copy, is_coming, is_listed, new_copy
from msmf_traci.migration.flow import begin_flow, change_rate, sent_at, sent_bytes
from msmf_traci.migration.ledger import CopyOutcome
from msmf_traci.migration.links import rate_between
from msmf_traci.migration.scene import Scene
from msmf_traci.records import Records
from msmf_traci.sentinels import CLOUD, NO_SERVER
from msmf_traci.units import S_PER_MS

USED, UNUSED, UNFINISHED = (int(outcome) for outcome in CopyOutcome)


@compiled
def image_at(c: Container, server: int, t_s: float, scene: Scene) -> int:
    """Whether the image is on a server that is not the host: THERE, COMING with a copy, or NOWHERE."""
    place = find_copy(c, server, scene.state.images)
    if place >= 0:
        return COMING if is_coming(scene.state.images.copies[c.copies][place]) else THERE
    if scene.policy.images.retain_s > 0:
        since_s = scene.state.images.kept_s.get(_key(c, server, scene), np.nan)
        if t_s - since_s < scene.policy.images.retain_s:
            return THERE
    return NOWHERE


@compiled
def keep_image(c: Container, server: int, t_s: float, scene: Scene) -> None:
    """A complete image is no longer in use on a server."""
    if scene.policy.images.retain_s > 0:
        scene.state.images.kept_s[_key(c, server, scene)] = t_s


@compiled
def answers_s(c: Container, server: int, scene: Scene) -> float:
    """What each sending to a server waits for the server's answers."""
    costs = scene.policy.processing
    return float(costs.answers_s + costs.round_trips * 2 * path_ms(c.host, server, scene.server_map) * S_PER_MS)


@compiled
def image_rate(c: Container, server: int, scene: Scene) -> float:
    """Bytes per second of an image that has all links on its way for itself."""
    return rate_between(CLOUD if scene.policy.images.is_from_cloud else c.host, server, scene.policy, scene.server_map)


@compiled
def by_source(image_bytes: float, scene: Scene) -> tuple[float, float]:
    """Bytes of an image that came from hosts, and from the cloud."""
    return (0.0, image_bytes) if scene.policy.images.is_from_cloud else (image_bytes, 0.0)


@compiled
def leave_image(c: Container, server: int, left_bytes: float, t_s: float, scene: Scene) -> None:
    """A transfer that has brought an image but for some bytes is given up; where the image is wanted, `obey_prefetch` goes on with it."""
    if find_copy(c, server, scene.state.images) >= 0:
        return  # the copy was bringing it
    if is_listed(c, server):
        c.left_at, c.left_bytes = server, left_bytes
    elif left_bytes == 0:
        keep_image(c, server, t_s, scene)


@compiled
def obey_prefetch(c: Container, t_s: float, scene: Scene) -> bool:
    """Give copies up that are no longer wanted, and open those that are missing; whether any has."""
    images, has_changed = scene.state.images, False
    if c.copies >= 0:
        for copy in images.copies[c.copies]:
            if copy.server != NO_SERVER and copy.server != c.target and not is_listed(c, copy.server):
                end_copy(c, copy, t_s, scene)
                has_changed = True
    for server in c.prefetch:
        if server == NO_SERVER:
            break
        if server == c.host or server == c.target or find_copy(c, server, images) >= 0:
            continue
        if server == c.left_at:
            missing = c.left_bytes
        else:
            missing = 0.0 if image_at(c, server, t_s, scene) == THERE else c.image_bytes
            c.needed_bytes += c.image_bytes
            c.found_bytes += c.image_bytes - missing
        _open_copy(c, server, t_s, missing, scene)
        has_changed = True
    c.left_at = NO_SERVER
    return has_changed


@compiled
def _open_copy(c: Container, server: int, t_s: float, missing_bytes: float, scene: Scene) -> None:
    """A copy; a complete image is only held, without a row in the books."""
    copy = new_copy(c, server, t_s, missing_bytes, scene.state.images)
    copy.rate_bytes_per_s = 0.0
    if missing_bytes == 0:
        copy.complete_s = t_s
        return
    copy.number = c.copied
    c.copied += 1
    if scene.policy.images.is_from_cloud and not scene.policy.links.is_shared:
        copy.rate_bytes_per_s = image_rate(c, server, scene)
    begin_flow(copy, t_s, missing_bytes, answers_s(c, server, scene))


@compiled
def end_copy(c: Container, copy: Copy, t_s: float, scene: Scene) -> None:
    """End a copy and book it: used if the container has come to run there."""
    is_used = copy.server == c.host
    is_complete = not is_coming(copy)
    if copy.number >= 0:
        outcome = (USED if is_used else UNUSED) if is_complete else UNFINISHED
        from_host, from_cloud = by_source(copy.missing_bytes if is_complete else sent_bytes(copy, t_s), scene)
        scene.books.copies.append(
            (
                (c.vehicle, c.variant, copy.number, copy.server, outcome),
                (copy.opened_s, copy.complete_s, t_s, from_host, from_cloud, copy.missing_bytes, c.x_m, c.y_m),
            )
        )
    if is_complete and not is_used:
        keep_image(c, copy.server, t_s, scene)
    copy.server = NO_SERVER


@compiled
def end_copies(c: Container, t_s: float, scene: Scene) -> None:
    """The vehicle leaves the road: all its copies end."""
    if c.copies < 0:
        return
    for copy in scene.state.images.copies[c.copies]:
        if copy.server != NO_SERVER:
            end_copy(c, copy, t_s, scene)
    scene.state.images.free.append(c.copies)
    c.copies = -1


@compiled
def move_copies(c: Container, old_host: int, t_s: float, scene: Scene) -> None:
    """The container runs on another server: the copy there has been used, and what came from the old host comes from the new one."""
    keep_image(c, old_host, t_s, scene)
    if c.copies < 0:
        return
    for copy in scene.state.images.copies[c.copies]:
        if copy.server == c.host:
            end_copy(c, copy, t_s, scene)
        elif is_coming(copy) and scene.policy.links.is_shared and not scene.policy.images.is_from_cloud:
            set_copy_rate(copy, t_s, copy.rate_after_bytes_per_s)


@compiled
def set_copy_rate(copy: Copy, t_s: float, rate: float) -> None:
    """From now on the copy gets this rate."""
    if copy.rate_bytes_per_s != rate:
        change_rate(copy, t_s, rate, is_copy_sending(copy, t_s))
        copy.done_s = sent_at(copy)


@compiled
def is_copy_sending(copy: Copy, t_s: float) -> bool:
    """Whether a copy has bytes to send at an instant."""
    return bool(is_coming(copy) and copy.to_send_bytes > 0 and copy.since_s <= t_s)


@compiled
def _share_uplink(c: Container, t_s: float, is_in_use: bool, scene: Scene) -> None:
    """Dedicated links: while a transfer sends nothing from the host, the first copy from there is sent, in the order of the list.

    A copy that a transfer waits for comes before all others.
    """
    images = scene.state.images
    is_free = not is_in_use
    first = find_copy(c, c.target, images) if c.target != NO_SERVER else -1
    if first >= 0:
        is_free = _give(c, images.copies[c.copies][first], t_s, is_free, scene)
    for server in c.prefetch:
        if server == NO_SERVER:
            break
        place = find_copy(c, server, images)
        if place >= 0 and place != first:
            is_free = _give(c, images.copies[c.copies][place], t_s, is_free, scene)


@compiled
def _give(c: Container, copy: Copy, t_s: float, is_free: bool, scene: Scene) -> bool:
    """Give a copy the host's link if it is free; whether it is still free then."""
    if not is_coming(copy) or copy.since_s > t_s:
        return is_free
    set_copy_rate(copy, t_s, rate_between(c.host, copy.server, scene.policy, scene.server_map) if is_free else 0.0)
    return False


@compiled
def missing_at(c: Container, server: int, t_s: float, scene: Scene) -> float:
    """What of a container's image is missing at a server."""
    if server == c.host:
        return 0.0
    place = find_copy(c, server, scene.state.images)
    if place >= 0:
        copy = scene.state.images.copies[c.copies][place]
        return float(copy.missing_bytes - sent_bytes(copy, t_s)) if is_coming(copy) else 0.0
    if server == c.target:
        return float(max(0.0, c.image_part_bytes - sent_bytes(c, t_s)))
    return 0.0 if image_at(c, server, t_s, scene) == THERE else float(c.image_bytes)


@compiled
def images_missing(containers: Records, server: IntArray, t_s: float, scene: Scene) -> FloatArray:
    """The same of some containers, shape (n,); NaN where there is no server."""
    found = np.full(len(containers), np.nan)
    for i in range(len(containers)):
        if server[i] >= 0:
            found[i] = missing_at(containers[i], server[i], t_s, scene)
    return found


@compiled
def copies_of(containers: Records, scene: Scene) -> IntArray:
    """Servers on which the image of each container is, or is coming to, since it is wanted there, shape (n, 9); NO_SERVER behind them."""
    found = np.full((len(containers), PLACES), NO_SERVER)
    for i in range(len(containers)):
        n = 0
        if containers[i].copies >= 0:
            for copy in scene.state.images.copies[containers[i].copies]:
                if copy.server != NO_SERVER:
                    found[i, n] = copy.server
                    n += 1
    return found


@compiled
def _key(c: Container, server: int, scene: Scene) -> int:
    return int(c.vehicle * len(scene.server_map.tier) + server)


@compiled
def finish_copies(c: Container, t_s: float, scene: Scene) -> bool:
    """Copies that have been sent by an instant are complete; whether the transfer has waited for one of them."""
    is_awaited = False
    for copy in scene.state.images.copies[c.copies]:
        if is_coming(copy) and copy.done_s <= t_s:
            copy.complete_s = t_s
            is_awaited = is_awaited or copy.server == c.target
    return is_awaited


@compiled
def next_of_copies(c: Container, t_s: float, is_sending: bool, may_send_later: bool, scene: Scene) -> float:
    """When something happens to a container's copies: one is complete or begins to flow, or the transfer takes the host's link.

    Parameters
    ----------
    c, t_s
        The container, and the instant.
    is_sending, may_send_later
        Whether its transfer is sending, and whether it will once its processing is done.
    scene
        What it stands in.
    """
    is_paced = not scene.policy.links.is_shared and not scene.policy.images.is_from_cloud
    if is_paced:
        _share_uplink(c, t_s, is_sending, scene)
    next_s = np.inf
    for copy in scene.state.images.copies[c.copies]:
        if is_coming(copy):
            next_s = min(next_s, copy.done_s)
            if is_paced and copy.since_s > t_s:
                next_s = min(next_s, copy.since_s)
            if is_paced and may_send_later:
                next_s = min(next_s, c.since_s)
    return float(next_s)
