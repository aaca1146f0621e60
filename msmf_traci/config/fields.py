"""What the sections of the schema are made of: their base and the types of numbers, ranges, texts and areas."""

from __future__ import annotations

from collections.abc import Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

# A petabyte in MB, thirty years in seconds: products of larger numbers are infinite somewhere on their way into a table
LARGEST = 1e9
LONGEST_NAME = 100

Positive = Annotated[float, Field(gt=0, le=LARGEST, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, le=LARGEST, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=int(LARGEST))]


def _check_range(values: list[float]) -> list[float]:
    if values[1] < values[0]:
        raise ValueError(f"the range [{values[0]:g}, {values[1]:g}] is empty: write the smaller number first")
    return values


Range = Annotated[list[NotNegative], Field(min_length=2, max_length=2), AfterValidator(_check_range)]


def _check_number_or_range(value: Any) -> Any:
    """One positive number, or two that rise: said in one sentence, which a union of types would not."""
    numbers = value if isinstance(value, list) else [value]
    right = all(isinstance(number, int | float) and not isinstance(number, bool) and 0 < number <= LARGEST for number in numbers)
    if not right or (isinstance(value, list) and len(value) != 2):
        raise ValueError(f"must be one finite number above 0 and up to {LARGEST:g}, or a range of two: [low,high]")
    if isinstance(value, list):
        _check_range(value)
    return value


NumberOrRange = Annotated[float | list[float], BeforeValidator(_check_number_or_range)]


def _check_text(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not hold a zero byte")
    return value


Text = Annotated[str, Field(min_length=1), AfterValidator(_check_text)]


def check_name(value: str) -> str:
    """A name that tables, folders and files can have.

    Raises
    ------
    ValueError
        If it is none: empty, too long, or with what leads to another folder or ends a line.
    """
    if not value or len(value) > LONGEST_NAME or not value.isprintable() or "/" in value or "\\" in value or value.startswith("."):
        raise ValueError(f"must be a name of 1 to {LONGEST_NAME} printable characters, without / or \\, and must not begin with a dot")
    return value


Name = Annotated[str, AfterValidator(check_name)]


class Section(BaseModel):
    """A group of options; unknown names and values of another type are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def kinds_of(annotation: Any) -> tuple[Any, ...]:
    """The types that an annotation allows, without what is said beside them."""
    if get_origin(annotation) is Annotated:
        return kinds_of(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return tuple(kind for each in get_args(annotation) for kind in kinds_of(each))
    return (annotation,)


def choices_of(annotation: Any) -> list[str]:
    """The values of an option that takes one of a few; empty where it takes others."""
    kinds = kinds_of(annotation)
    named = [str(choice) for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)]
    return named + (["true", "false"] if bool in kinds else [])


def section_of(field: Any) -> type[Section] | None:
    """The section that a field of a section is; None where it is an option."""
    return field.annotation if isinstance(field.annotation, type) and issubclass(field.annotation, Section) else None


def check_area(option: str, box: Sequence[float] | None) -> None:
    """Check that an option is [west, south, east, north] in degrees, or null.

    Raises
    ------
    ValueError
        If it is not.
    """
    if box is None:
        return
    if len(box) != 4:
        raise ValueError(f"{option} takes four numbers: [west, south, east, north] in degrees")
    west, south, east, north = box
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise ValueError(f"{option}={list(box)} is not an area: write [west, south, east, north] in degrees, west < east, south < north")
