"""The columns of options that vary: how they are called, and how they hold a value."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

IMAGE_OPTION, SPEED_OPTION, SEED_OPTION = "workload.image_mb", "mobility.speed_kmh", "seed"


def column_names(options: Sequence[str], taken: Collection[str]) -> dict[str, str]:
    """Column of each varied option: its last part, or its path where that names another of them or another column."""
    last = [option.rsplit(".", 1)[-1] for option in options]
    return {option: name if last.count(name) == 1 and name not in taken else option for option, name in zip(options, last, strict=True)}


def columns_beside_keys(options: Sequence[str], images: Sequence[Any], taken: Collection[str]) -> dict[str, str]:
    """Column of each varied option that no key column tells already.

    Parameters
    ----------
    options
        What is varied.
    images
        Every image size that occurs: a number, or a range that sizes are drawn from. The column `image_mb` tells sizes apart, and is empty
        for a range.
    taken
        Columns of the tables.
    """
    ranges = {str(image) for image in images if isinstance(image, list)}
    told = (SPEED_OPTION, SEED_OPTION, *([IMAGE_OPTION] if len(ranges) <= 1 else []))
    return column_names([option for option in options if option not in told], taken)


def key_value(value: Any) -> Any:
    """An option's value as a table holds it: a list as text, a mix as `game:2+face:5`, None (unlimited) empty."""
    if isinstance(value, dict):
        return "+".join(f"{name}:{weight:g}" for name, weight in value.items())
    return value if isinstance(value, int | float | str) or value is None else str(value)
