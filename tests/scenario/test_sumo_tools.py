"""What SUMO's programs say is quoted whole: a message goes on in the next lines, and warnings are counted by kind."""

import pytest

from msmf_traci.scenario.sumo_tools import Warned, last_lines, messages_in, warnings_in


@pytest.mark.parametrize(
    ("said", "quoted"),
    [
        (
            "Step #0.00\nError: expected end of tag 'vehicle'\n In file 'bad.rou.xml'\n At line/column 9/3.\n\nQuitting (on error).\n",
            "Error: expected end of tag 'vehicle' In file 'bad.rou.xml' At line/column 9/3.",
        ),
        (
            "Error: Source junction 'a' not known for trip 'j'!\nSet option '--junction-taz' or load a TAZ-file\nQuitting (on error).",
            "Error: Source junction 'a' not known for trip 'j'! Set option '--junction-taz' or load a TAZ-file",
        ),
        ("Error: one\nError: two\nError: three\nError: four\n", "Error: two | Error: three | Error: four"),
        ("Warning: first\nLoading done.\n", "Warning: first | Loading done."),
        ("Traceback (most recent call last):\n  File 'x.py'\nValueError: wrong\n", "ValueError: wrong"),
        ("", "it printed nothing"),
    ],
)
def test_the_last_messages_are_quoted_with_place_and_advice(said: str, quoted: str) -> None:
    assert last_lines(said) == quoted


def test_messages_end_where_the_next_begins() -> None:
    lines = ["Warning: old.\n", " Use another.\n", "Warning: more\n", "Loading done.\n", "Error: a\n", "do b\n", "Warning: c\n"]
    assert list(messages_in(lines)) == [
        "Warning: old. Use another.",
        "Warning: more",
        "Loading done.",
        "Error: a do b",
        "Warning: c",
    ]


def test_warnings_that_differ_in_names_and_numbers_are_of_one_kind() -> None:
    lines = [
        "Warning: Vehicle 'a' ends teleporting on edge 'e1', time=339.00.",
        "Warning: Route file should be sorted by departure time, ignoring 'v4'!",
        "Warning: Vehicle 'b' ends teleporting on edge 'e7', time=4.00.",
        "Step #5.00",
    ]
    assert warnings_in(lines) == [
        Warned(2, "Vehicle 'a' ends teleporting on edge 'e1', time=339.00."),
        Warned(1, "Route file should be sorted by departure time, ignoring 'v4'!"),
    ]
