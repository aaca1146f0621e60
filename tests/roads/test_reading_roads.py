"""What section 3 of the model promises of reading a network: which edges are roads, their centre lines, their straight-on successors."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from msmf_traci.errors import InputError
from msmf_traci.roads.roads import Roads, read_roads

NetWriter = Callable[..., Roads]


@pytest.fixture
def read_net(tmp_path: Path) -> NetWriter:
    """Write edges (id: shape, name, class, lanes' permissions) and connections (from, to, direction, permission); read the roads."""

    def write(edges: dict[str, dict], connections: Sequence[tuple]) -> Roads:
        text = ['<net version="1.20"><location netOffset="3,4" convBoundary="0,0,9,9" origBoundary="0,0,1,1" projParameter="!"/>']
        for id_, edge in edges.items():
            text.append(f'<edge id="{id_}" from="n" to="n" name="{escape(edge.get("name", ""))}" type="{edge.get("type", "")}">')
            for lane, (shape, permission) in enumerate(edge["lanes"]):
                points = " ".join(f"{x},{y}" for x, y in shape)
                text.append(
                    f'<lane id="{id_}_{lane}" index="{lane}" speed="9" length="{edge.get("length", 50)}" shape="{points}" {permission}/>'
                )
            text.append("</edge>")
        text.append('<junction id="n" type="priority" x="0" y="0" incLanes="" intLanes="" shape=""/>')
        for from_, to, direction, permission in connections:
            text.append(f'<connection from="{from_}" to="{to}" fromLane="0" toLane="0" dir="{direction}" state="M" {permission}/>')
        file = tmp_path / "tiny.net.xml"
        file.write_text("\n".join([*text, "</net>"]), encoding="utf-8")
        return read_roads(file)

    return write


def heading(degrees: float, permission: str = "", **more: str) -> dict:
    """An edge of one lane of 50 m from the origin at this angle from east."""
    end = (50 * math.cos(math.radians(degrees)), 50 * math.sin(math.radians(degrees)))
    return {"lanes": [([(0.0, 0.0), end], permission)], **more}


def follower(read_net: NetWriter, own: dict, others: dict[str, dict], directions: dict[str, tuple[str, str]] | None = None) -> str | None:
    """Id of the straight-on successor of an edge `own`, which leads east and is connected with all the others."""
    given_ = directions or {}
    roads = read_net({"own": own, **others}, [("own", id_, *given_.get(id_, ("s", ""))) for id_ in others])
    successor = int(roads.successor[roads.ids.index("own")])
    return None if successor < 0 else roads.ids[successor]


def test_the_centre_line_is_that_of_lane_n_half_and_lengths_names_and_offset_are_read(read_net: NetWriter) -> None:
    lanes = [([(0.0, y), (70.0, y)], "") for y in (-4.8, -1.6, 1.6, 4.8)]
    edges = {f"b{n}": {"lanes": lanes[:n], "name": "Gong Ti & Bei Lu", "type": "highway.primary", "length": 71.5} for n in (1, 2, 3, 4)}
    roads = read_net(edges, [])
    assert roads.ids == ["b1", "b2", "b3", "b4"]
    # 1 // 2 = 0, 2 // 2 = 1, 3 // 2 = 1, 4 // 2 = 2
    assert [roads.line(edge)[1].tolist() for edge in range(4)] == [[y, y] for y in (-4.8, -1.6, -1.6, 1.6)]
    assert roads.length_m.tolist() == [71.5] * 4
    assert (roads.names[0], roads.classes[0], roads.net_offset_m, roads.projection) == ("Gong Ti & Bei Lu", "highway.primary", (3, 4), None)
    assert roads.successor.tolist() == [-1] * 4


def test_edges_closed_to_passenger_cars_are_no_roads(read_net: NetWriter) -> None:
    edges = {"tram": heading(0, 'allow="tram"'), "bus": heading(0, 'disallow="passenger"'), "free": heading(0)}
    assert read_net({**edges, "mixed": {"lanes": [heading(0, 'allow="bus"')["lanes"][0], heading(0)["lanes"][0]]}}, []).ids == [
        "free",
        "mixed",
    ]


def test_the_same_name_beats_a_smaller_turn_under_60_degrees_only(read_net: NetWriter) -> None:
    own = heading(0, name="Ring")
    others = {"a_straight": heading(0, name="Other"), "b_ring": heading(59, name="Ring")}
    assert follower(read_net, own, others) == "b_ring"
    assert follower(read_net, own, {**others, "b_ring": heading(-59, name="Ring")}) == "b_ring"
    assert follower(read_net, own, {**others, "b_ring": heading(60, name="Ring")}) == "a_straight"
    assert follower(read_net, heading(0), {"a": heading(10, name="Ring"), "b": heading(20)}) == "a"  # no name is not the same name
    assert follower(read_net, own, {"a": heading(40, name="Ring"), "b": heading(-30, name="Ring")}) == "b"


def test_otherwise_the_smallest_turn_wins_across_north_and_west_too(read_net: NetWriter) -> None:
    assert follower(read_net, heading(0), {"a": heading(50), "b": heading(-45), "c": heading(170)}) == "b"
    # heading 170, and -175 is a turn of 15 degrees, 150 one of 20
    assert follower(read_net, heading(170), {"a": heading(150), "b": heading(-175)}) == "b"


def test_the_turn_is_between_the_last_segment_and_the_first(read_net: NetWriter) -> None:
    bent = {"lanes": [([(-50.0, -50.0), (-50.0, 0.0), (0.0, 0.0)], "")]}  # north, then east
    hook = {"lanes": [([(0.0, 0.0), (10.0, 1.0), (10.0, 90.0)], "")]}  # east at first
    assert follower(read_net, bent, {"a_north": heading(90), "b_hook": hook, "c": heading(30)}) == "b_hook"


def test_equal_turns_are_decided_by_class_then_by_id(read_net: NetWriter) -> None:
    own = heading(0, type="primary")
    assert follower(read_net, own, {"a": heading(30, type="service"), "b": heading(-30, type="primary")}) == "b"
    assert follower(read_net, own, {"b": heading(30, type="service"), "a": heading(-30, type="tertiary")}) == "a"
    assert follower(read_net, own, {"b": heading(30, type="primary"), "a": heading(-30, type="primary")}) == "a"


@pytest.mark.parametrize("closed", [("t", ""), ("T", ""), ("s", 'disallow="passenger"'), ("s", 'allow="bus"')])
def test_turnarounds_and_closed_connections_lead_nowhere(read_net: NetWriter, closed: tuple[str, str]) -> None:
    own, others = heading(0), {"a": heading(0), "b": heading(80)}
    assert follower(read_net, own, others, {"a": closed}) == "b"
    assert follower(read_net, own, {"a": heading(0)}, {"a": closed}) is None


def test_a_connection_to_or_from_a_closed_lane_leads_nowhere(read_net: NetWriter) -> None:
    half_open = {"lanes": [heading(0, 'allow="bus"')["lanes"][0], heading(0)["lanes"][0]]}  # connections use lane 0
    assert follower(read_net, heading(0), {"a": half_open, "b": heading(80)}) == "b"
    assert follower(read_net, half_open, {"a": heading(0)}) is None


def test_a_file_that_is_no_network_is_refused_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "cut.net.xml"
    file.write_text("<net><edge id=")
    with pytest.raises(InputError, match=r"cut\.net\.xml is damaged or no network"):
        read_roads(file)
