"""The second tutorial: a sweep over speeds and seeds, plotted with its scatter.

Run it with `.venv/bin/python examples/sweep.py`.
"""

# %% [markdown]
# # A sweep, plotted
#
# How does the time without a service depend on the speed? You run every combination of three
# speeds and two seeds, and plot the outcome.

# %%
import altair as alt

import msmf_traci as msmf

sweep = msmf.sweep(
    {"mobility.speed_kmh": [20, 40, 60], "seed": [0, 1]},
    "mobility.vehicles=10",
    strategies=["nearest", "pm", "pm_op_tier"],
)

# %% [markdown]
# `sweep.summary` stacks the summaries of all runs: one row for each run and strategy.

# %%
columns = ["commanded_kmh", "seed", "strategy", "realised_kmh", "unavailability"]
print(sweep.summary[columns].round(3).to_string(index=False))

# %% [markdown]
# The command line does the same. A sweep that was interrupted goes on where it ended.
#
# ```
# msmf-traci -m mobility.speed_kmh=20,40,60 seed=0,1 mobility.vehicles=10 \
#     'strategies=[nearest,pm,pm_op_tier]'
# ```
#
# Lines are means over seeds, points are the seeds.

# %%
table = sweep.summary.assign(unavailable=sweep.summary["unavailability"] * 100)
base = alt.Chart(table).encode(
    x=alt.X("commanded_kmh", title="commanded speed, km/h"), color="strategy"
)
means = base.mark_line().encode(y=alt.Y("mean(unavailable)", title="unavailable, % of the trip"))
chart = means + base.mark_point(filled=True, size=60).encode(y="unavailable")
chart.properties(width=480, height=280).save("unavailability.png", ppi=100)

# %% [markdown]
# Options that do not move vehicles need no sweep. As `variants` they share one pass, and cost
# little more than one run.

# %%
run = msmf.run(
    {"mobility.vehicles": 10, "variants.workload.image_mb": [100, 500, 1000]}, strategies=["pm"]
)
print(run.summary[["strategy", "image_mb", "unavailability"]].round(3).to_string(index=False))
