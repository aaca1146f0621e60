"""Bytes that flow at a rate that may change: what a stage of a transfer sends, or a copy of an image. Model, section 7."""

from __future__ import annotations

import numpy as np

from msmf_traci.compiled import compiled
from msmf_traci.records import Int32
from msmf_traci.sentinels import NO_SERVER


class Flow:
    """What is being sent; it has sent everything by itself at `done_s`.

    Of an image it sends one layer after another.
    """

    done_s: float = np.inf
    to_send_bytes: float = np.nan
    rate_bytes_per_s: float
    sent_before_bytes: float  # before `since_s`, at another rate
    since_s: float = np.nan  # before it nothing is sent: what is to be sent is in processing, or waited for
    ready_s: float = np.nan  # when the first layer of an image has been processed
    source: int = NO_SERVER  # where the bytes come from: a server, or the cloud
    layer: Int32 = -1  # its place in the image, while one is being sent
    layer_before_bytes: float  # of this layer, sent before the container stopped
    lender: Int32 = -1  # place in the store of the layer that is being read on a server that is not the host
    host_bytes: float  # of layers that have ended, by where they came from
    cloud_bytes: float
    other_bytes: float


@compiled
def begin_flow(flow: Flow, since_s: float, to_send: float) -> None:
    """From an instant on so many bytes are sent."""
    flow.to_send_bytes = to_send
    flow.sent_before_bytes = 0.0
    flow.since_s = since_s
    flow.done_s = sent_at(flow)


@compiled
def wait(flow: Flow) -> None:
    """Nothing is sent until something else has happened."""
    flow.to_send_bytes = 0.0
    flow.sent_before_bytes = 0.0
    flow.since_s = np.inf
    flow.done_s = np.inf


@compiled
def sent_at(flow: Flow) -> float:
    """When everything is sent, its processing done."""
    missing = flow.to_send_bytes - flow.sent_before_bytes
    if missing <= 0:
        return float(flow.since_s)
    return float(flow.since_s + missing / flow.rate_bytes_per_s) if flow.rate_bytes_per_s > 0 else np.inf


@compiled
def sent_bytes(flow: Flow, t_s: float) -> float:
    """Bytes that it has sent by an instant."""
    if flow.to_send_bytes == 0 or flow.since_s > t_s:
        return 0.0
    return float(min(flow.to_send_bytes, flow.sent_before_bytes + flow.rate_bytes_per_s * (t_s - flow.since_s)))


@compiled
def change_rate(flow: Flow, t_s: float, rate: float, is_sending: bool) -> None:
    """From now on it gets this rate, in bytes per second."""
    if is_sending:
        flow.sent_before_bytes = sent_bytes(flow, t_s)
        flow.since_s = t_s
    flow.rate_bytes_per_s = rate
