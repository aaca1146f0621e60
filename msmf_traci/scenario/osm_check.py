"""Checks an OpenStreetMap XML answer while it streams in; not a reader of its contents."""

import xml.parsers.expat

from msmf_traci.errors import MsmfError

_SYNTAX_CODE = xml.parsers.expat.errors.codes[xml.parsers.expat.errors.XML_ERROR_SYNTAX]


class AnswerError(MsmfError):
    """What the server sent is no OpenStreetMap extract; asking again would not help."""


class TruncatedError(MsmfError):
    """The answer ended before its closing tag; asking again may help."""


class OsmCheck:
    """Takes the answer in pieces and raises as soon as it cannot be a good extract.

    Streaming, because an extract has hundreds of megabytes; expat, because it tells "incomplete" from "wrong".
    """

    def __init__(self) -> None:
        self._parser = xml.parsers.expat.ParserCreate()
        self._parser.StartElementHandler = self._on_start
        self._parser.EndElementHandler = self._on_end
        self._parser.CharacterDataHandler = self._on_text
        self._depth = 0
        self._in_way = False
        self._in_remark = False
        self._remark = ""
        self._road_count = 0

    def feed(self, piece: bytes) -> None:
        """Check the next piece.

        Raises
        ------
        AnswerError
            If this is not OpenStreetMap XML, or it carries an error remark of Overpass.
        """
        try:
            self._parser.Parse(piece, False)
        except xml.parsers.expat.ExpatError as error:
            raise AnswerError(f"the answer is not XML ({error})") from None

    def finish(self) -> None:
        """Check that the answer was complete.

        Raises
        ------
        TruncatedError
            If the closing </osm> is missing.
        AnswerError
            If this is not XML, or no way has a highway tag.
        """
        try:
            self._parser.Parse(b"", True)
        except xml.parsers.expat.ExpatError as error:
            if error.code == _SYNTAX_CODE:
                # An answer so short that expat took it for the beginning of a token until now.
                raise AnswerError(f"the answer is not XML ({error})") from None
            raise TruncatedError("the answer ended before its closing </osm>") from None
        if self._road_count == 0:
            raise AnswerError("the answer has no roads (no way with a highway tag)")

    def _on_start(self, name: str, attributes: dict[str, str]) -> None:
        if self._depth == 0 and name != "osm":
            what = "a web page (HTML)" if name.lower() == "html" else f"XML of another kind (<{name[:40]}>)"
            raise AnswerError(f"the answer is {what} and not OpenStreetMap data")
        self._depth += 1
        if name == "way":
            self._in_way = True
        elif name == "remark":
            self._in_remark = True
        elif name == "tag" and self._in_way and attributes.get("k") == "highway":
            self._road_count += 1

    def _on_end(self, name: str) -> None:
        self._depth -= 1
        if name == "way":
            self._in_way = False
        elif name == "remark":
            self._in_remark = False
            remark = " ".join(self._remark.split())
            self._remark = ""
            # Overpass reports a failed query in a remark of an otherwise well-formed, partial answer.
            if "error" in remark.lower():
                raise AnswerError(f"the server reports: {remark[:200]}")

    def _on_text(self, text: str) -> None:
        if self._in_remark:
            self._remark += text
