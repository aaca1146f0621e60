"""The fourth tutorial: a strategy of your own beside the built-in ones.

Run it with `.venv/bin/python examples/your_strategy.py`.
"""

# %% [markdown]
# # Your strategy
#
# A strategy is a class with one method. You write one that waits before it moves a container, and
# compare it with two that exist.

# %%
import altair as alt
import numpy as np

import msmf_traci as msmf


class Lazy(msmf.Strategy):
    """Follow the user only when requests would be relayed over two hops or more."""

    name = "lazy"

    def decide(self, now: msmf.Situation) -> msmf.Decision:
        """Keep the container while it is near; copy it ahead along the road meanwhile."""
        home = np.where(now.hops < 2, msmf.KEEP, now.home)
        return msmf.Decision(home=home, target=now.next_home())


# %% [markdown]
# `decide` answers for all vehicles at once. `now.hops`, `now.home` and the others are arrays with
# one entry for each vehicle on the road. Everything that a strategy may know is listed under
# [strategies](../strategies.md).

# %%
run = msmf.run("mobility.vehicles=20", strategies=["pm", "never", Lazy])
columns = ["handoffs_per_trip", "unavailability", "relayed_share", "late_share", "satisfied_share"]
print(run.summary.set_index("strategy")[columns].round(3).to_string())

# %% [markdown]
# Where does the time of a trip go? A container is stopped, late, or satisfies its user.

# %%
states = ["satisfied_share", "late_share", "unavailability"]
shares = run.summary.melt("strategy", states, var_name="state", value_name="share")
chart = (
    alt.Chart(shares)
    .mark_bar()
    .encode(
        x=alt.X("share", title="share of the time on the road", scale=alt.Scale(domain=[0, 1])),
        y=alt.Y("strategy", title=None),
        color=alt.Color("state", sort=states, title=None),
        order=alt.Order("state", sort="ascending"),
    )
)
chart.properties(width=460, height=130).save("shares.png", ppi=100)

# %% [markdown]
# For the command line, put the class into a file of its own, `lazy.py`. It is then named by its
# module:
#
# ```
# msmf-traci 'strategies=[pm,never,lazy:Lazy]'
# ```
