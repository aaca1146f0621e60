"""The fifth tutorial: a small Figure 7(a) of the paper, and a report.

Run it with `.venv/bin/python examples/paper_figure.py`.
"""

# %% [markdown]
# # A figure of the paper
#
# The paper's Figure 7(a) shows traffic by speed. You make it in small: the synthetic city instead
# of Beijing, ten vehicles instead of a hundred, three speeds and two seeds.

# %%
import altair as alt

import msmf_traci as msmf

sweep = msmf.sweep(
    {"mobility.speed_kmh": [20, 40, 60], "seed": [0, 1]},
    "mobility.vehicles=10",
    strategies=["nearest", "pm", "pm_op", "pm_tier", "pm_op_tier"],
)
table = sweep.summary.assign(gigabytes=sweep.summary["traffic_per_trip_bytes"] / 1e9)
means = table.pivot_table(index="strategy", columns="commanded_kmh", values="gigabytes")
print(means.round(2).to_string())

# %% [markdown]
# Each point is the mean over two seeds. So few seeds and vehicles show the shape only.

# %%
chart = alt.Chart(table).encode(
    x=alt.X("commanded_kmh", title="commanded speed, km/h"),
    y=alt.Y("mean(gigabytes)", title="traffic of a trip, GB"),
    color="strategy",
)
figure = (chart.mark_line() + chart.mark_point(filled=True)).properties(width=480, height=280)
figure.save("figure_7a.png", ppi=100)

# %% [markdown]
# A report makes this figure and all others, with intervals, and puts the paper's sentences to the
# test. The page opens in a browser without a network.

# %%
page = msmf.report(sweep, out="page")
print(page.name)

# %% [markdown]
# The whole figure, in the synthetic city or on Beijing:
#
# ```
# msmf-traci -m experiment=figure7_synthetic hydra/launcher=joblib
# msmf-traci report results/figure7_synthetic
# ```
#
# What came out on Beijing is told under [reproduction](../reproduction.md).
