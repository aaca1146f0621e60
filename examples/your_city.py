"""The third tutorial: your own network. Run it with `.venv/bin/python examples/your_city.py`."""

# %% [markdown]
# # Your city
#
# Any network of SUMO will do. You make a small town with SUMO's own tool, drive random trips
# through it, and draw its cells and roads. Put your own `.net.xml` in its place.

# %%
import subprocess
import sys
from pathlib import Path

import altair as alt
import pandas as pd
import sumo

import msmf_traci as msmf

netgenerate = Path(sumo.SUMO_HOME) / "bin" / "netgenerate"
words = ["--grid", "--grid.number=9", "--grid.length=250", "--output-file=town.net.xml"]
subprocess.run([netgenerate, *words], check=True, stdout=sys.stderr)

# %% [markdown]
# `scenario=sumo` takes the network. Without routes of your own, trips are drawn. The deployment
# covers the network by default.

# %%
run = msmf.run(
    "scenario=sumo",
    "scenario.net_file=town.net.xml",
    "mobility.vehicles=15",
    "mobility.min_trip_m=800",
    "deployment.spacing_m=400",
    strategies=["nearest", "pm", "pm_tier"],
)
print(f"{run.facts['cells']} cells, {run.facts['edges']} edges")
columns = ["strategy", "handoffs_per_trip", "satisfied_share"]
print(run.summary[columns].round(3).to_string(index=False))

# %% [markdown]
# `run.cells` and `run.roads` hold the map of the run. Each road is a line of points in metres.


# %%
def points_of(line: str) -> list[list[float]]:
    """The points of a line in WKT."""
    pairs = line.removeprefix("LINESTRING (").removesuffix(")").split(", ")
    return [[float(number) for number in pair.split()] for pair in pairs]


points = pd.DataFrame(
    {"edge": road.edge, "order": order, "x_m": x_m, "y_m": y_m}
    for road in run.roads.itertuples()
    for order, (x_m, y_m) in enumerate(points_of(road.line))
)
lines = (
    alt.Chart(points)
    .mark_line(color="#90a4ae")
    .encode(x="x_m", y="y_m", detail="edge", order="order")
)
stations = alt.Chart(run.cells).mark_point(
    shape="triangle-up", filled=True, size=70, color="#bf360c"
)
stations = stations.encode(x="x_m", y="y_m")
(lines + stations).properties(width=380, height=380).save("town.png", ppi=100)

# %% [markdown]
# ## A real city
#
# From OpenStreetMap, on the command line:
#
# ```
# msmf-traci fetch --bbox 13.3,52.45,13.5,52.55 --out berlin.osm.gz
# msmf-traci scenario=osm scenario.map_file=berlin.osm.gz
# ```
#
# With a configuration of your own: `msmf-traci scenario=sumo scenario.sumocfg_file=city.sumocfg`
# ([your own SUMO configuration](../sumo-configuration.md)).
