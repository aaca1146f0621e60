"""Base stations from files: CSV with columns that are recognised by their names, OpenCelliD's exports, GeoJSON, SUMO's points.

Every row that is not taken is counted, with the reason.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.deployment.cells import StationData
from msmf_traci.errors import InputError
from msmf_traci.files.text_file import DamagedFileError, encoding_of, opened, unpacked_name
from msmf_traci.files.xml_file import read_xml

# what a column can be, and the names by which it is recognised, in any spelling of capitals
KINDS = {
    "lon": ("lon", "longitude", "lng", "long"),
    "lat": ("lat", "latitude"),
    "x": ("x", "x_m"),
    "y": ("y", "y_m"),
    "id": ("id", "site_id", "station_id"),
    "tier": ("tier",),
    "capacity": ("capacity",),
    "store_gb": ("store_gb",),
    "bandwidth_mbps": ("bandwidth_mbps",),
}
_OWN = {"capacity": "number of containers", "store_gb": "room in GB", "bandwidth_mbps": "bandwidth in Mb/s"}
_OF_SERVERS = ("tier", *_OWN)
_NO_COLUMN = "none"  # such a column says nothing of servers
_OPENCELLID = (
    *("radio", "mcc", "net", "area", "cell", "unit", "lon", "lat", "range", "samples"),
    *("changeable", "created", "updated", "averagesignal"),
)
_USED = {*(name for names in KINDS.values() for name in names), "radio", "mcc", "net", "cell", "samples"}
_RADIOS = ("GSM", "UMTS", "LTE", "CDMA", "NR", "NBIOT")
_LTE_CELLS = 256  # of a base station (eNodeB): its number is cell // 256
_MOST_PAIRS = 20_000_000  # they take a gigabyte
_LARGEST = 1e9
_SAME_PLACE_M = 1e-3  # sites that lie nearer are one, whatever is asked for


@dataclass(frozen=True)
class SiteChoice:
    """Which rows of a file are base stations.

    Attributes
    ----------
    columns
        Name of the column of each kind (`KINDS`) that is not recognised by itself.
    bbox
        Least and greatest longitude and latitude, or x and y: left, bottom, right, top; None: everywhere.
    radio, operator
        Radio technology, and operator as `MCC-MNC`; None: any. For files that say them.
    min_samples
        Fewest measurements behind a position. For files that say how many there are.
    areas
        Columns that say in which area of a tier a station lies.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    bbox: tuple[float, float, float, float] | None = None
    radio: str | None = None
    operator: str | None = None
    min_samples: int = 0
    areas: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sites:
    """Places of base stations.

    Attributes
    ----------
    is_lon_lat
        Whether they are in degrees, else in the network's metres.
    x, y
        Longitude and latitude, or x and y, shape (sites,).
    weight
        Measurements behind each place, or 1.
    names
        What they are called, each another name.
    counts
        How many rows were read, left out for which reason, and merged.
    stations
        What the file says beside.
    """

    is_lon_lat: bool
    x: FloatArray
    y: FloatArray
    weight: FloatArray
    names: Sequence[str]
    counts: dict[str, int]
    stations: StationData

    def __len__(self) -> int:
        return len(self.x)


def read_sites(path: Path, choice: SiteChoice) -> Sites:
    """Read a file of base stations.

    Raises
    ------
    InputError
        If it cannot be read, has no positions, or nothing is left of it.
    """
    try:
        table, columns = _read_table(path, {*choice.columns.values(), *choice.areas})
    except DamagedFileError as error:
        raise InputError(f"deployment.file={path} {error}") from None
    except (ValueError, OSError, EOFError) as error:  # pandas' errors are of the first kind
        raise InputError(f"deployment.file={path} cannot be read: {str(error).splitlines()[0]}; check the file") from None
    kinds = _kinds_of(path, columns, choice.columns)
    if (absent := next((column for column in choice.areas if column not in columns), None)) is not None:
        raise InputError(
            f"a tier has column={absent}, but deployment.file={path} has no such column; it has {', '.join(map(str, columns))}"
        )
    is_lon_lat = "lon" in kinds
    x, y = (
        pd.to_numeric(table[kinds[kind]], errors="coerce").to_numpy(np.float64) for kind in (("lon", "lat") if is_lon_lat else ("x", "y"))
    )
    counts = {"rows": len(table)}
    kept = _counted(np.isfinite(x) & np.isfinite(y), "without_position", counts)
    if is_lon_lat:
        on_earth = (np.abs(x) <= 180) & (np.abs(y) <= 90)
        if (~on_earth & kept).any() and ((np.abs(y) <= 180) & (np.abs(x) <= 90))[kept].all():
            raise InputError(
                f"deployment.file={path}: its columns {kinds['lon']} and {kinds['lat']} hold latitudes above 90; "
                "longitude and latitude look swapped: name them with deployment.columns.lon and .lat"
            )
        kept &= _counted(on_earth | ~kept, "not_on_earth", counts)
    kept = _chosen(path, table, x, y, kept, choice, counts)
    if not kept.any():
        left_out = ", ".join(f"{many} {reason.replace('_', ' ')}" for reason, many in counts.items() if reason != "rows" and many)
        raise InputError(f"deployment.file={path}: none of its {len(table)} rows is left ({left_out or 'it is empty'}); ask for less")
    table, x, y = table[kept].reset_index(drop=True), x[kept], y[kept]
    return _as_sites(table, x, y, kinds.get("id"), _station_data(path, table, kinds, choice.areas), is_lon_lat, counts)


def read_outline(path: Path) -> shapely.Polygon | shapely.MultiPolygon:
    """The polygons of a GeoJSON file, as one.

    Raises
    ------
    InputError
        If it holds none.
    """
    try:
        shapes = shapely.get_parts(shapely.from_geojson(path.read_text(encoding="utf-8")))
    except (shapely.errors.ShapelyError, ValueError, OSError) as error:
        raise InputError(f"deployment.outline_file={path} is no GeoJSON ({str(error).splitlines()[0]}); check the file") from None
    areas = shapes[np.isin(shapely.get_type_id(shapes), (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON))]
    if not len(areas):
        raise InputError(f"deployment.outline_file={path} holds no polygon; give the area of the deployment")
    return shapely.union_all(shapely.make_valid(areas))


def merged(sites: Sites, merge_m: float) -> Sites:
    """Sites, in metres, with those that lie nearer to each other than `merge_m`, or are joined by a chain of such, as one.

    The one lies in their weighted middle, has the first one's name and columns, and what servers have of all together. Its
    counts say how many sites went into others (`merged`).

    Raises
    ------
    InputError
        If too many pairs of sites lie that near to each other.
    """
    tree, near_m, n = KDTree(np.column_stack([sites.x, sites.y])), max(merge_m, _SAME_PLACE_M), len(sites)
    if (many := (int(tree.count_neighbors(tree, near_m)) - n) // 2) > _MOST_PAIRS:
        raise InputError(f"deployment.merge_m={merge_m:g}: {many} pairs of base stations lie that near to each other; make it smaller")
    pairs = tree.query_pairs(near_m, output_type="ndarray")
    _, joined = connected_components(coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n)), directed=False)
    x_m, y_m, weight, first, stations = _grouped(joined.astype(np.int64), sites.x, sites.y, sites.weight, sites.stations)
    counts = {**sites.counts, "merged": n - len(first)}
    return Sites(False, x_m, y_m, weight, [sites.names[i] for i in first], counts, stations)


def _grouped(
    group: IntArray, x: FloatArray, y: FloatArray, weight: FloatArray, stations: StationData
) -> tuple[FloatArray, FloatArray, FloatArray, IntArray, StationData]:
    """Sites of one group as one, in the order of their first ones: x, y, weight, which is the first, and what is said of them."""
    _, first, group = np.unique(group, return_index=True, return_inverse=True)
    order = np.argsort(first)
    total = np.asarray(np.bincount(group, weights=weight), dtype=np.float64)
    alone = np.bincount(group) == 1  # keeps its place to the last bit
    x, y = (np.where(alone, each[first], np.bincount(group, weights=weight * each) / total) for each in (x, y))
    number: IntArray = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order))
    leader = np.asarray(first[order], dtype=np.int64)
    return x[order], y[order], total[order], leader, stations.grouped(number[group], leader)


def _station_data(path: Path, table: pd.DataFrame, kinds: Mapping[str, str], areas: Sequence[str]) -> StationData:
    """What is said of stations beside their places and names."""

    def numbers(kind: str, what: str) -> FloatArray:
        if kind not in kinds:
            return np.full(len(table), np.nan)
        said = _texts(table[kinds[kind]])
        values = pd.to_numeric(said, errors="coerce").to_numpy(dtype=np.float64)
        is_right = (values > 0) & (values <= _LARGEST) & ((kind != "capacity") | (values % 1 == 0))
        wrong = np.flatnonzero(~is_right & (said != "").to_numpy())
        if len(wrong):
            raise InputError(
                f"deployment.file={path}: its column {kinds[kind]} has {said.iloc[wrong[0]]!r}, which is no {what}; correct it"
            )
        return values

    tier = _texts(table[kinds["tier"]]).to_numpy(dtype=object) if "tier" in kinds else np.full(len(table), "", dtype=object)
    own = {kind: numbers(kind, what) for kind, what in _OWN.items()}
    station = np.flatnonzero(np.any([np.isfinite(values) for values in own.values()], axis=0))
    columns = {column: _texts(table[column]).to_numpy(dtype=object) for column in areas}
    return StationData(station, tier[station], {kind: values[station] for kind, values in own.items()}, columns)


def _texts(column: pd.Series) -> pd.Series:
    """What a column says, without blanks around it; nothing where it is empty."""
    return column.fillna("").astype(str).str.strip()


def _read_table(path: Path, named: Collection[str]) -> tuple[pd.DataFrame, list[str]]:
    """All rows as text, of the columns that say something of a base station; and which columns there are."""
    ending = Path(unpacked_name(path)).suffix.lower()
    if ending in (".geojson", ".json", ".xml"):
        table = _read_geojson(path) if ending != ".xml" else _read_points(path)
        return table, list(table.columns)
    with opened(path) as file:
        begin = file.read(1 << 16)
    encoding = encoding_of(begin[:4])
    line = next(iter(begin.decode(encoding, errors="replace").splitlines()), "")
    if not line.strip():
        raise DamagedFileError("begins with no row; give a file whose first line names the columns")
    separator = max(",;\t", key=line.count)
    fields = [each.strip() for each in next(csv.reader([line], delimiter=separator))]
    has_header = not (len(fields) == len(_OPENCELLID) and fields[0].upper() in _RADIOS)
    columns = fields if has_header else list(_OPENCELLID)
    with opened(path) as file:
        table = pd.read_csv(
            file,
            sep=separator,
            header=0 if has_header else None,
            names=columns,
            usecols=lambda column: column.lower() in _USED or column in named,
            dtype=str,
            encoding=encoding,
            keep_default_na=False,
            skipinitialspace=True,
        )
    return table, columns


def _read_points(path: Path) -> pd.DataFrame:
    """SUMO's points of interest."""
    rows: list[dict[str, str]] = []
    read_xml(path, lambda name, attributes: rows.append(dict(attributes)) if name == "poi" else None)
    return pd.DataFrame(rows, dtype=object)


def _read_geojson(path: Path) -> pd.DataFrame:
    with opened(path) as file:
        content = json.load(file)
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list):
        raise DamagedFileError("is no GeoJSON of features; give a FeatureCollection of points")
    rows = []
    for feature in features:
        geometry = feature.get("geometry") if isinstance(feature, dict) else None
        if isinstance(geometry, dict) and geometry.get("type") == "Point":
            place = geometry.get("coordinates")
            lon, lat = place[:2] if isinstance(place, list) and len(place) > 1 else (None, None)
            rows.append({"id": feature.get("id"), **(feature.get("properties") or {}), "lon": lon, "lat": lat})
        else:
            rows.append({"lon": None, "lat": None})
    return pd.DataFrame(rows, columns=None if rows else ["lon", "lat"], dtype=object)


def _kinds_of(path: Path, columns: Sequence[str], named: Mapping[str, str]) -> dict[str, str]:
    """The column of each kind."""
    unwanted = [kind for kind in _OF_SERVERS if named.get(kind) == _NO_COLUMN]
    named = {kind: column for kind, column in named.items() if kind not in unwanted}
    for kind, column in named.items():
        if column not in columns:
            raise InputError(
                f"deployment.columns.{kind}={column}: deployment.file={path} has no such column; it has {', '.join(map(str, columns))}"
            )
    lower = {str(column).strip().lower(): column for column in reversed(columns)}
    wanted = {kind: names for kind, names in KINDS.items() if kind not in unwanted}
    found = {kind: lower[name] for kind, names in wanted.items() for name in reversed(names) if name in lower} | dict(named)
    for first, second in (("lon", "lat"), ("x", "y")):
        if first in found and second in found:
            return {kind: column for kind, column in found.items() if kind in (first, second, "id", *_OF_SERVERS)}
    raise InputError(
        f"deployment.file={path} has no columns that could be positions (lon and lat, or x and y); "
        f"name them with deployment.columns.lon and .lat, or .x and .y; it has {', '.join(map(str, columns)) or 'none'}"
    )


def _counted(passes: BoolArray, reason: str, counts: dict[str, int]) -> BoolArray:
    counts[reason] = int((~passes).sum())
    return passes.copy()


def _chosen(
    path: Path, table: pd.DataFrame, x: FloatArray, y: FloatArray, kept: BoolArray, choice: SiteChoice, counts: dict[str, int]
) -> BoolArray:
    """Which rows pass the filters; each row is counted at the first that it fails."""
    lower = {str(column).strip().lower(): column for column in table.columns}
    filters: list[tuple[str, BoolArray]] = []
    if choice.bbox is not None:
        left, bottom, right, top = choice.bbox
        filters.append(("outside_bbox", (x >= left) & (x <= right) & (y >= bottom) & (y <= top)))
    if choice.radio is not None:
        (radio,) = _needed(path, lower, table, "deployment.radio", ("radio",))
        filters.append(("other_radio", (radio.str.upper() == choice.radio.upper()).to_numpy()))
    if choice.operator is not None:
        mcc, net = _needed(path, lower, table, "deployment.operator", ("mcc", "net"))
        filters.append(("other_operator", (mcc + "-" + net == choice.operator).to_numpy()))
    if choice.min_samples:
        (samples,) = _needed(path, lower, table, "deployment.min_samples", ("samples",))
        filters.append(("few_samples", (pd.to_numeric(samples, errors="coerce") >= choice.min_samples).to_numpy()))
    for reason, passes in filters:
        counts[reason] = int((kept & ~passes).sum())
        kept = kept & passes
    return kept


def _needed(path: Path, lower: Mapping[str, str], table: pd.DataFrame, option: str, names: Sequence[str]) -> list[pd.Series]:
    for name in names:
        if name not in lower:
            raise InputError(f"{option}: deployment.file={path} has no column {name}, by which it would choose; leave {option} out")
    return [table[lower[name]].astype(str).str.strip() for name in names]


def _as_sites(
    table: pd.DataFrame,
    x: FloatArray,
    y: FloatArray,
    id_column: str | None,
    stations: StationData,
    is_lon_lat: bool,
    counts: dict[str, int],
) -> Sites:
    """One site a row, or one a base station where rows are its cells (LTE)."""
    lower = {str(column).strip().lower(): column for column in table.columns}
    weight: FloatArray = np.ones(len(table))
    if "samples" in lower:
        weight = np.maximum(pd.to_numeric(table[lower["samples"]], errors="coerce").fillna(1).to_numpy(np.float64), 1)
    if id_column is not None:
        names = _distinct(_texts(table[id_column]).tolist())
        return Sites(is_lon_lat, x, y, weight, names, counts, stations)
    if not all(name in lower for name in ("radio", "mcc", "net", "cell")):
        return Sites(is_lon_lat, x, y, weight, [str(number) for number in range(len(table))], counts, stations)
    cell = pd.to_numeric(table[lower["cell"]], errors="coerce").fillna(-1).to_numpy(np.int64)
    is_lte = (table[lower["radio"]].str.upper() == "LTE").to_numpy()
    station = np.where(is_lte & (cell >= 0), cell // _LTE_CELLS, cell).astype(str)
    parts = [table[lower[name]].to_numpy(dtype=object) for name in ("radio", "mcc", "net")]
    keys = ["-".join(map(str, row)) for row in zip(*parts, station, strict=True)]
    group, names_of = pd.factorize(np.array(keys, dtype=object))
    x, y, weight, first, stations = _grouped(group, x, y, weight, stations)
    counts["further_cells_of_a_station"] = len(table) - len(first)
    return Sites(is_lon_lat, x, y, weight, [str(each) for each in names_of], counts, stations)


def _distinct(names: list[str]) -> list[str]:
    """Names as they are; doubles and empty ones by a number too."""
    seen: set[str] = set()
    found = []
    for place, name in enumerate(names):
        own, number = name, place
        while not own or own in seen:
            own, number = f"{name}#{number}", number + 1
        seen.add(own)
        found.append(own)
    return found
