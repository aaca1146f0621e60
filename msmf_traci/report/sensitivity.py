"""What the headline figures depend on."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Sensitivity:
    """Headline figures at every value of every option.

    Attributes
    ----------
    table
        Columns `headline`, `title`, `unit`, `at`, `option`, `value`, `is_reference`, `mean`, `low`, `high`, `change`, `change_low`,
        `change_high`, `seeds`; several options at once are `a x b` with the value `1 x 2`.
    answers
        Sentences.
    """

    table: pd.DataFrame
    answers: list[str]
