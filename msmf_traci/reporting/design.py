"""What the page says where its runs do not form one design: how folders differ, and which runs figures leave out.

docs/report.md has the rule.
"""

from __future__ import annotations

from msmf_traci.reporting.options import Value, with_value, words
from msmf_traci.reporting.reading import Apart, Results

_NAMED = 3  # values of an option, and options, that a sentence names before it says how many more


def design_notes(results: Results) -> list[str]:
    """Sentences for the reader; none where all runs form one design."""
    return [*(_apart_words(results, each) for each in results.apart), *_left_out_words(results)]


def _apart_words(results: Results, apart: Apart) -> str:
    first, further = results.folders[0].resolve().name, apart.folder.resolve().name
    differ = _some(
        [f"{with_value(name, _values(name, theirs))} instead of {_values(name, ours)}" for name, (theirs, ours) in apart.options.items()]
    )
    if apart.is_beside:
        said = f"{further} serves the timeline and the replay alone. No other part of this page uses it."
        return f"{said} It differs from {first}: {differ}." if differ else said
    return f"{further} differs from {first}: {differ}. The first sentence and the table are about {first}."


def _left_out_words(results: Results) -> list[str]:
    """Which options never vary alone, and how many runs figures leave out for it."""
    together = [option for option in results.options.values() if option not in results.design]
    if not together:
        return []
    named = _some([with_value(option.name, _values(option.name, list(option.values))) for option in together])
    at = _some([with_value(option.name, words(option.name, option.reference)) for option in together])
    shown, many = results.designed["run"].nunique(), results.rows["run"].nunique()
    return [f"Some options never vary alone: {named}. Figures show the {shown} of {many} runs with {at}."]


def _values(name: str, values: list[Value]) -> str:
    return _some([words(name, value) for value in values])


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
