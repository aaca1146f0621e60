"""A claim, and what the tables say about it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Judgement:
    """A claim of the paper, tested.

    Attributes
    ----------
    name
        Of the claim, in one word.
    text, source
        The paper's sentence, and its section.
    asks
        What is tested, in a sentence.
    verdict
        "holds", "fails", "depends (on ...)" or "no data".
    because
        One sentence.
    evidence
        Columns `reading`, `at`, `statistic`, `unit`, `estimate`, `low`, `high`, `seeds`, `bound`, `holds`.
    """

    name: str
    text: str
    source: str
    asks: str
    verdict: str
    because: str
    evidence: pd.DataFrame
