"""A city where traffic keeps to the left is built so, and is another network than the same map driven on the right."""

from pathlib import Path

from msmf_traci.scenario.build import osm_network
from msmf_traci.scenario.sumo_tools import find_sumo
from msmf_traci.sumo_python import sumo_package

MAP = """<osm version="0.6"><node id="1" lat="51.5" lon="0"/><node id="2" lat="51.5" lon="0.01"/><node id="3" lat="51.5" lon="0.02"/>
<way id="7"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="primary"/></way></osm>"""


def test_streets_keep_to_the_side_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "city.osm"
    path.write_text(MAP)
    sources = [osm_network(find_sumo(), str(path), None, is_beijing=False, left_hand=side) for side in (False, True)]
    assert sources[0].key != sources[1].key
    sides = []
    for source, name in zip(sources, ("right", "left"), strict=True):
        assert source.build is not None
        (tmp_path / name).mkdir()
        source.build(tmp_path / name)
        net = sumo_package("sumolib").net.readNet(str(tmp_path / name / "network.net.xml"))
        eastward, westward = net.getEdge("7"), net.getEdge("-7")
        sides.append(eastward.getShape()[0][1] - westward.getShape()[-1][1])
    # driving east, the other direction lies to the north where traffic keeps to the right, and to the south where it keeps to the left
    assert sides[0] < 0 < sides[1]
