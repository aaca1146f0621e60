"""What happens to images that are wanted on servers: copies open, are sent, and end. Model, section 7."""

from __future__ import annotations

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.compiled import compiled
from msmf_traci.deployment.server_map import path_ms
from msmf_traci.migration.container import Container
from msmf_traci.migration.copies import PLACES, Copy, find_copy, is_coming, is_listed, new_copy, was_refused
from msmf_traci.migration.fetching import end_layer, give_back, go_on, has_room_for_image, leave_image, missing_at, use_image
from msmf_traci.migration.flow import change_rate, sent_at, sent_bytes
from msmf_traci.migration.ledger import CopyOutcome
from msmf_traci.migration.links import COPIES, rate_between, rate_of_one_more
from msmf_traci.migration.scene import Scene
from msmf_traci.records import Records
from msmf_traci.sentinels import NO_SERVER
from msmf_traci.units import S_PER_MS

USED, UNUSED, UNFINISHED, REFUSED = (int(outcome) for outcome in CopyOutcome)


@compiled
def answers_s(c: Container, server: int, scene: Scene) -> float:
    """What each sending to a server waits for the server's answers."""
    costs = scene.policy.processing
    return float(costs.answers_s + costs.round_trips * 2 * path_ms(c.host, server, scene.server_map) * S_PER_MS)


@compiled
def want_image(c: Container, server: int, t_s: float, scene: Scene) -> float:
    """An image that a container will run from is wanted on a server; bytes that are missing there."""
    missing = use_image(c, server, t_s, scene)
    c.needed_bytes += c.image_bytes
    c.found_bytes += c.image_bytes - missing
    return missing


@compiled
def obey_prefetch(c: Container, t_s: float, scene: Scene) -> bool:
    """Give copies up that are no longer wanted, and open those that are missing; whether any has."""
    images, has_changed = scene.state.images, False
    if c.copies >= 0:
        for copy in images.copies[c.copies]:
            if copy.server != NO_SERVER and not is_listed(c, copy.server) and (copy.server != c.target or copy.refused):
                end_copy(c, copy, t_s, scene)
                has_changed = True
    for server in c.prefetch:
        if server == NO_SERVER:
            break
        if server == c.host or server == c.target or find_copy(c, server, images) >= 0:
            continue
        if server == c.left_at:
            _open_copy(c, server, t_s, missing_at(c, server, t_s, scene), scene)
        elif has_room_for_image(c, server, t_s, scene):
            _open_copy(c, server, t_s, want_image(c, server, t_s, scene), scene)
        else:
            _refuse_copy(c, server, t_s, scene)
            continue
        has_changed = True
    c.left_at = NO_SERVER
    return has_changed


@compiled
def _open_copy(c: Container, server: int, t_s: float, missing_bytes: float, scene: Scene) -> None:
    """A copy; a complete image is only held, without a row in the books."""
    copy = new_copy(c, server, t_s, missing_bytes, scene.state.images)
    if missing_bytes == 0:
        copy.complete_s = t_s
        return
    copy.number = c.copied
    c.copied += 1
    copy.ready_s = t_s + answers_s(c, server, scene)
    go_on(copy, COPIES, c, server, t_s, scene)


@compiled
def _refuse_copy(c: Container, server: int, t_s: float, scene: Scene) -> None:
    """A server has no room for an image; it is asked again at each frame, and booked once."""
    c.needs_decision = True
    if not was_refused(c, server, scene.state.images):
        copy = new_copy(c, server, t_s, missing_at(c, server, t_s, scene), scene.state.images)
        copy.refused = True
        copy.number = c.copied
        c.copied += 1
        _book_copy(c, copy, REFUSED, t_s, scene)


@compiled
def end_copy(c: Container, copy: Copy, t_s: float, scene: Scene) -> None:
    """End a copy and book it: used if the container has come to run there."""
    is_used, is_complete = copy.server == c.host, not is_coming(copy)
    end_layer(copy, c, copy.server, t_s, scene)
    if not copy.refused:
        if copy.number >= 0:
            _book_copy(c, copy, (USED if is_used else UNUSED) if is_complete else UNFINISHED, t_s, scene)
        if not is_used:
            leave_image(c, copy.server, t_s, scene)
    copy.server = NO_SERVER


@compiled
def _book_copy(c: Container, copy: Copy, outcome: int, t_s: float, scene: Scene) -> None:
    sent = copy.host_bytes, copy.cloud_bytes, copy.other_bytes
    scene.books.copies.append(
        (
            (c.vehicle, c.variant, copy.number, copy.server, outcome),
            (copy.opened_s, copy.complete_s, t_s, *sent, copy.missing_bytes, c.x_m, c.y_m),
        )
    )


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
    if c.pulls_from != old_host:
        leave_image(c, old_host, t_s, scene)
    if c.copies < 0:
        return
    for copy in scene.state.images.copies[c.copies]:
        if copy.server == c.host:
            end_copy(c, copy, t_s, scene)
        elif is_coming(copy) and copy.source == old_host:
            copy.source = c.host
            give_back(copy, t_s, scene)
            if scene.policy.links.is_shared:
                set_copy_rate(copy, t_s, rate_of_one_more(COPIES, c.host, copy.server, scene))


@compiled
def finish_copies(c: Container, t_s: float, scene: Scene) -> bool:
    """Layers that have been sent by an instant are complete, and so are copies; whether the transfer has waited for one of them."""
    is_awaited = False
    for copy in scene.state.images.copies[c.copies]:
        if is_coming(copy) and copy.done_s <= t_s:
            end_layer(copy, c, copy.server, t_s, scene)
            is_awaited = go_on_with_copy(copy, c, t_s, scene) or is_awaited
    return is_awaited


@compiled
def go_on_with_copy(copy: Copy, c: Container, t_s: float, scene: Scene) -> bool:
    """Go on with the next layer, or complete the copy; whether the transfer has waited for it."""
    if go_on(copy, COPIES, c, copy.server, t_s, scene):
        return False
    copy.complete_s = t_s
    return bool(copy.server == c.target)


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
def next_of_copies(c: Container, t_s: float, is_sending: bool, may_send_later: bool, scene: Scene) -> float:
    """When something happens to a container's copies: a layer is complete or begins to flow, or the transfer takes the host's link.

    Parameters
    ----------
    c, t_s
        The container, and the instant.
    is_sending, may_send_later
        Whether its transfer sends from the host, and whether it will once its processing is done.
    scene
        What it stands in.
    """
    if not scene.policy.links.is_shared:
        _share_uplink(c, t_s, is_sending, scene)
    next_s = np.inf
    for copy in scene.state.images.copies[c.copies]:
        if is_coming(copy):
            next_s = min(next_s, copy.done_s)
            if copy.source == c.host and not scene.policy.links.is_shared:
                if copy.since_s > t_s:
                    next_s = min(next_s, copy.since_s)
                if may_send_later:
                    next_s = min(next_s, c.since_s)
    return float(next_s)


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
    if not is_coming(copy) or copy.source != c.host or copy.since_s > t_s:
        return is_free
    set_copy_rate(copy, t_s, rate_between(c.host, copy.server, scene.policy, scene.server_map) if is_free else 0.0)
    return False


@compiled
def lacks(c: Container, server: int, t_s: float, scene: Scene) -> float:
    """What of a container's image is missing at a server at an instant, in bytes; what it is sending at the moment counted as there."""
    place = find_copy(c, server, scene.state.images)
    sent = 0.0
    if place >= 0:
        copy = scene.state.images.copies[c.copies][place]
        if copy.layer >= 0:
            sent = sent_bytes(copy, t_s)
    elif server == c.target and c.layer >= 0:
        sent = c.layer_before_bytes + sent_bytes(c, t_s)
    return max(0.0, missing_at(c, server, t_s, scene) - sent)


@compiled
def images_lacking(containers: Records, server: IntArray, t_s: float, scene: Scene) -> FloatArray:
    """The same of some containers, shape (n,); NaN where there is no server."""
    found = np.full(len(containers), np.nan)
    for i in range(len(containers)):
        if server[i] >= 0:
            found[i] = lacks(containers[i], server[i], t_s, scene)
    return found


@compiled
def copies_of(containers: Records, scene: Scene) -> IntArray:
    """Servers on which the image of each container is, or is coming to, since it is wanted there, shape (n, 9); NO_SERVER behind them."""
    found = np.full((len(containers), PLACES), NO_SERVER)
    for i in range(len(containers)):
        n = 0
        if containers[i].copies >= 0:
            for copy in scene.state.images.copies[containers[i].copies]:
                if copy.server != NO_SERVER and not copy.refused:
                    found[i, n] = copy.server
                    n += 1
    return found
