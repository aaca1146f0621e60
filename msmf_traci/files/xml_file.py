"""Reads XML element by element, whatever its size: in the encoding that it declares, packed or not, and nothing is kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.parsers import expat

from msmf_traci.files.text_file import READ_ERRORS, DamagedFileError, encoding_of, opened, said

LONGEST_TOKEN = 16 << 20  # bytes of a tag with its attributes, or of a comment
_READ_AT_ONCE = 1 << 18

_DECLARED_ENCODING = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([\w.-]+)")

Begin = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]


def xml_text(path: Path) -> str:
    """The text of an XML file, for a library that reads no other; the file has been read through once, so that it is whole and no bomb.

    Raises
    ------
    DamagedFileError
        As `read_xml`.
    """
    read_xml(path, lambda *_: None)
    with opened(path) as file:
        content = file.read()
    declared = _DECLARED_ENCODING.match(content)
    encoding = encoding_of(content[:4])
    return content.decode(declared[1].decode() if declared and encoding == "utf-8" else encoding)


def read_xml(path: Path, begin: Begin, end: End | None = None) -> None:
    """Call functions at the begin and at the end of each element of a file.

    Parameters
    ----------
    path
        The file.
    begin
        Takes an element's name and attributes; raises no errors but the package's.
    end
        Takes its name.

    Raises
    ------
    DamagedFileError
        If the file cannot be read, is no XML, or has a tag longer than `LONGEST_TOKEN`.
    """
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    try:
        with opened(path) as file:
            fed = 0
            while piece := file.read(_READ_AT_ONCE):
                parser.Parse(piece, False)
                fed += len(piece)
                if fed - parser.CurrentByteIndex > LONGEST_TOKEN:
                    raise DamagedFileError(f"has a tag longer than {LONGEST_TOKEN >> 20} MB; write it again")
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise DamagedFileError(f"is damaged, truncated or no XML ({error}); write it again") from None
    except READ_ERRORS as error:
        raise DamagedFileError(f"is damaged or cannot be read ({said(error)}); write it again") from None
    except (LookupError, ValueError) as error:  # Python does not know the declared encoding, or not for XML
        raise DamagedFileError(f"is in an encoding that cannot be read ({said(error)}); save it in UTF-8") from None
