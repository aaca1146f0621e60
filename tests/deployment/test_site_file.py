"""Base stations from files: every form gives the same sites, every row that is not taken is counted, and what is wrong is said."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from msmf_traci.deployment.cells import StationData
from msmf_traci.deployment.site_file import SiteChoice, Sites, merged, read_outline, read_sites
from msmf_traci.errors import InputError

LON, LAT = [116.31, 116.32, 116.35], [39.9, 39.91, 39.92]
OPENCELLID = "radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal"


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def csv(head: str, separator: str = ",") -> str:
    rows = [separator.join([f"s{i}", str(lon), str(lat)]) for i, (lon, lat) in enumerate(zip(LON, LAT, strict=True))]
    return "\n".join([head.replace(",", separator), *rows]) + "\n"


FEATURES = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "properties": {"id": f"s{i}"}, "geometry": {"type": "Point", "coordinates": [lon, lat, 3.0]}}
        for i, (lon, lat) in enumerate(zip(LON, LAT, strict=True))
    ],
}
POINTS = "".join(f'<poi id="s{i}" lon="{lon}" lat="{lat}"/>' for i, (lon, lat) in enumerate(zip(LON, LAT, strict=True)))
FORMS = {
    "a.csv": csv("id,lon,lat"),
    "register.csv": csv("SITE_ID,LONGITUDE,LATITUDE"),
    "semicolons.txt": csv("id,Longitude,Latitude", ";"),
    "mark.csv": "\ufeff" + csv("id,lon,lat"),
    "tabs.tsv": csv("station_id,lng,lat", "\t"),
    "packed.csv.gz": csv("id,lon,lat"),
    "points.geojson": json.dumps(FEATURES),
    "poi.add.xml": f"<additional>{POINTS}</additional>",
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same_sites(name: str, tmp_path: Path) -> None:
    sites = read_sites(written(tmp_path, name, FORMS[name]), SiteChoice())
    assert sites.is_lon_lat
    assert (list(sites.names), sites.x.tolist(), sites.y.tolist()) == (["s0", "s1", "s2"], LON, LAT)
    assert sites.counts == {"rows": 3, "without_position": 0, "not_on_earth": 0}


def test_metres_and_named_columns_and_names_that_are_missing_or_double(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "east,north,name\n1,2,a\n3,4,a\n5,6,\n7,,b\n")
    sites = read_sites(path, SiteChoice(columns={"x": "east", "y": "north", "id": "name"}))
    assert not sites.is_lon_lat
    assert (sites.x.tolist(), sites.y.tolist(), list(sites.names)) == ([1, 3, 5], [2, 4, 6], ["a", "a#1", "#2"])
    assert sites.counts["without_position"] == 1


@pytest.mark.parametrize("has_header", [True, False])
def test_cells_of_one_base_station_are_one_site_weighted_by_samples(has_header: bool, tmp_path: Path) -> None:
    # LTE: the base station is cell // 256; 513 and 600 are of station 2, 1000 of station 3; GSM's cells stand alone
    rows = ["LTE,1,2,9,513,0,10.0,50.0,1000,1,1,0,0,0", "LTE,1,2,9,600,0,10.4,50.8,1000,3,1,0,0,0"]
    rows += ["LTE,1,2,9,1000,0,11.0,51.0,1000,9,1,0,0,0", "GSM,1,2,9,513,0,12.0,52.0,1000,2,1,0,0,0"]
    text = "\n".join([*([OPENCELLID] if has_header else []), *rows]) + "\n"
    sites = read_sites(written(tmp_path, "cells.csv", text), SiteChoice())
    assert list(sites.names) == ["LTE-1-2-2", "LTE-1-2-3", "GSM-1-2-513"]
    assert sites.x == pytest.approx([10.3, 11, 12]) and sites.y == pytest.approx([50.6, 51, 52])
    assert sites.weight.tolist() == [4, 9, 2]
    assert sites.counts["further_cells_of_a_station"] == 1


def test_filters_count_each_row_at_the_first_that_it_fails(tmp_path: Path) -> None:
    rows = ["LTE,1,2,9,256,0,10,50,1,5,1,0,0,0", "GSM,1,2,9,512,0,10,50,1,5,1,0,0,0", "LTE,1,3,9,768,0,10,50,1,5,1,0,0,0"]
    rows += ["LTE,1,2,9,1024,0,10,50,1,4,1,0,0,0", "GSM,9,9,9,1,0,99,50,1,0,1,0,0,0", "LTE,1,2,9,1,0,,50,1,9,1,0,0,0"]
    path = written(tmp_path, "cells.csv", "\n".join([OPENCELLID, *rows]))
    sites = read_sites(path, SiteChoice(bbox=(9, 49, 11, 51), radio="lte", operator="1-2", min_samples=5))
    assert list(sites.names) == ["LTE-1-2-1"]
    expected = {"rows": 6, "without_position": 1, "outside_bbox": 1, "other_radio": 1, "other_operator": 1, "few_samples": 1}
    assert {name: sites.counts[name] for name in expected} == expected


def nothing_said() -> StationData:
    nothing: np.ndarray = np.zeros(0)
    return StationData(
        np.zeros(0, dtype=np.int64), np.zeros(0, dtype=object), dict.fromkeys(("capacity", "store_gb", "bandwidth_mbps"), nothing), {}
    )


def test_near_sites_are_merged_in_their_weighted_middle_and_same_places_always() -> None:
    x = np.array([0.0, 8.0, 16.0, 100.0, 100.0, 200.1])
    sites = Sites(False, x, np.zeros(6), np.array([1.0, 1.0, 2.0, 1.0, 1.0, 7.0]), list("abcdef"), {}, nothing_said())
    one = merged(sites, 0.0)
    assert (one.x.tolist(), one.names, one.counts["merged"]) == ([0, 8, 16, 100, 200.1], ["a", "b", "c", "d", "f"], 1)
    one = merged(sites, 10.0)
    assert (one.x.tolist(), one.names, one.counts["merged"]) == ([10, 100, 200.1], ["a", "d", "f"], 3)


def test_rows_at_one_place_may_speak_of_servers_of_two_tiers(tmp_path: Path) -> None:
    path = written(tmp_path, "two.csv", "id,x ,y,tier,capacity ,district \na,0,0,,5,west\na,0,0,regional,10,west\nb,9,9,,,east\n")
    sites = merged(read_sites(path, SiteChoice(areas=("district",))), 0.0)
    assert (sites.names, sites.counts["merged"]) == (["a", "b"], 1)
    said = sites.stations
    assert (said.station.tolist(), said.tier.tolist(), said.own["capacity"].tolist()) == ([0, 0], ["", "regional"], [5, 10])
    assert said.columns["district"].tolist() == ["west", "east"]
    unsaid = read_sites(path, SiteChoice(columns={"capacity": "none"})).stations
    assert len(unsaid.station) == 0


def test_names_are_distinct_whatever_they_are(tmp_path: Path) -> None:
    path = written(tmp_path, "names.csv", "id,x,y\na#2,0,0\na,1,0\na,2,0\n,3,0\n")
    assert len(set(read_sites(path, SiteChoice()).names)) == 4


def test_merging_of_everything_with_everything_is_refused() -> None:
    x = np.linspace(0, 1000, 7000)  # 24 million pairs
    sites = Sites(False, x, x, np.ones(7000), [str(i) for i in range(7000)], {}, nothing_said())
    with pytest.raises(InputError, match="24496500 pairs of base stations lie that near"):
        merged(sites, 5000.0)


@pytest.mark.parametrize(
    ("name", "text", "choice", "said"),
    [
        ("a.csv", "name,a,b\nx,1,2\n", SiteChoice(), "no columns that could be positions"),
        ("a.csv", "id,lon,lat\na,39.9,116.3\nb,39.8,116.4\n", SiteChoice(), "look swapped"),
        ("a.csv", "id,lon,lat\na,,\n", SiteChoice(), "none of its 1 rows is left (1 without position)"),
        ("a.csv", "id,lon,lat\n", SiteChoice(), "none of its 0 rows is left"),
        ("a.csv", "id,lon,lat\na,1,2\n", SiteChoice(columns={"lon": "east"}), "deployment.columns.lon=east"),
        ("a.csv", "id,lon,lat\na,1,2\n", SiteChoice(radio="LTE"), "has no column radio"),
        ("a.csv", "id,lon,lat\na,1,2\n", SiteChoice(min_samples=3), "has no column samples"),
        ("a.csv", "id,lon,lat\na,1,2\n", SiteChoice(bbox=(5, 5, 6, 6)), "(1 outside bbox)"),
        ("a.csv", 'id,lon,lat\na,"1,2\n', SiteChoice(), "cannot be read"),
        ("a.geojson", '{"type": "Point"}', SiteChoice(), "is no GeoJSON of features"),
        ("a.geojson", "{", SiteChoice(), "cannot be read"),
        ("a.xml", "<additional><poi", SiteChoice(), "a.xml"),
        ("a.xml", "<additional/>", SiteChoice(), "no columns that could be positions"),
        ("a.csv.gz", "", SiteChoice(), "begins with no row"),
    ],
)
def test_wrong_files_are_said_in_one_sentence(name: str, text: str, choice: SiteChoice, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_sites(written(tmp_path, name, text), choice)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_outline_is_the_polygons_of_a_file(tmp_path: Path) -> None:
    square = {"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]]}
    feature = {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": square}]}
    assert read_outline(written(tmp_path, "a.geojson", json.dumps(feature))).area == 4
    assert read_outline(written(tmp_path, "b.geojson", json.dumps(square))).area == 4
    with pytest.raises(InputError, match="holds no polygon"):
        read_outline(written(tmp_path, "c.geojson", '{"type": "Point", "coordinates": [0, 0]}'))
    with pytest.raises(InputError, match="is no GeoJSON"):
        read_outline(written(tmp_path, "d.geojson", "{"))
