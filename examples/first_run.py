"""The first tutorial: a run, its tables, a picture.

Run it with `.venv/bin/python examples/first_run.py`.
"""

# %% [markdown]
# # First run
#
# Twenty vehicles drive through the synthetic city, and every strategy moves their containers. You
# see the tables of the run, and which strategy satisfies its users for what traffic.

# %%
import altair as alt

import msmf_traci as msmf

run = msmf.run("scenario=synthetic", "mobility.vehicles=20")

# %% [markdown]
# A run holds its tables as pandas data frames. `run.summary` has one row for each strategy.
# Traffic is in bytes, the satisfied share between 0 and 1.

# %%
summary = run.summary.set_index("strategy")
columns = ["traffic_per_trip_bytes", "handoffs_per_trip", "unavailability", "satisfied_share"]
print(summary[columns].round(3).to_string())

# %% [markdown]
# `never` moves nothing. It satisfies its users most of the time all the same: a gigabyte takes 80
# s to copy, a cell is crossed in 40 s, and the paper's algorithm stops the container at the
# border.

# %%
points = run.summary.assign(
    gigabytes=run.summary["traffic_per_trip_bytes"] / 1e9,
    satisfied=run.summary["satisfied_share"] * 100,
)
chart = (
    alt.Chart(points)
    .mark_point(filled=True, size=120)
    .encode(
        x=alt.X("gigabytes", title="migration traffic of a trip, GB"),
        y=alt.Y("satisfied", title="satisfied, % of the trip", scale=alt.Scale(domain=[0, 100])),
        color="strategy",
        shape="strategy",
    )
)
chart.properties(width=480, height=280).save("satisfied.png", ppi=100)

# %% [markdown]
# What became of every single transfer is in `run.migrations`. Here they are counted by outcome.

# %%
outcomes = run.migrations.groupby(["strategy", "outcome"]).size()
print(outcomes.unstack(fill_value=0).to_string())

# %% [markdown]
# The tables lie on disk too. `run.folder` names the folder, and `msmf.load(folder)` reads it
# again, in another session or by a colleague.

# %%
again = msmf.load(run.folder)
print(sorted(path.name for path in run.folder.iterdir()))
print(again.summary.equals(run.summary))
