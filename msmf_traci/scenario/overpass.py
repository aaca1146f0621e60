"""One question to an Overpass server and its answer, streamed into a file; not the choice of what to ask or keep."""

import gzip
import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

from msmf_traci.errors import MsmfError
from msmf_traci.scenario.osm_check import AnswerError, OsmCheck, TruncatedError

Bbox = tuple[float, float, float, float]  # west, south, east, north in degrees

BYTES_PER_MB = 1_000_000
SO_FAR = "so far"  # ends the lines of progress that the next one makes obsolete

_USER_AGENT = "msmf-traci (research harness on SUMO traffic; map download)"
_ROADS = "motorway|trunk|primary|secondary|tertiary|unclassified|residential|living_street"
_LINKS = "motorway_link|trunk_link|primary_link|secondary_link|tertiary_link"
_PIECE_BYTES = 1 << 18
_PROGRESS_EVERY_S = 1.0
_TOO_MANY_REQUESTS = 429


class FetchError(MsmfError):
    """The download failed although the input was right; nothing was left behind."""


class TransientError(Exception):
    """A failure that may pass: the text says what happened."""


def roads_request(bbox: Bbox, server: str, timeout_s: float) -> urllib.request.Request:
    """Return the request for the driveable roads in a box and their nodes, as OSM XML."""
    west, south, east, north = bbox
    # The server gives up a little before this side does, so that its reason arrives.
    query = (
        f"[out:xml][timeout:{max(1, int(0.9 * timeout_s))}];"
        f'way["highway"~"^({_ROADS}|{_LINKS})$"]({south:.7f},{west:.7f},{north:.7f},{east:.7f});'
        "(._;>;);out body;"
    )
    data = urllib.parse.urlencode({"data": query}).encode()
    return urllib.request.Request(server, data=data, headers={"User-Agent": _USER_AGENT})


def download(
    request: urllib.request.Request,
    scratch: Path,
    timeout_s: float,
    max_bytes: int,
    progress: Callable[[str], None],
    *,
    compress: bool,
) -> None:
    """Make one attempt: stream the answer into the scratch file and check it on the way.

    Raises
    ------
    TransientError
        If another attempt may succeed.
    FetchError
        If it would not.
    """
    check = OsmCheck()
    server = request.full_url
    try:
        with scratch.open("wb") as raw:
            # No name and no time inside, so that equal data give an equal file.
            sink = gzip.GzipFile("", "wb", fileobj=raw, mtime=0) if compress else raw
            with cast(IO[bytes], sink):
                for piece in _limited(_pieces(request, timeout_s), max_bytes, progress):
                    check.feed(piece)
                    sink.write(piece)
        check.finish()
    except TruncatedError as error:
        raise TransientError(f"{server}: {error}") from None
    except AnswerError as error:
        raise FetchError(f"{server} sent no map: {error}; try a smaller --bbox or another --server") from None
    except OSError as error:
        raise FetchError(f"{scratch.parent} cannot take the download ({error}); free space there or change --out") from None


def _pieces(request: urllib.request.Request, timeout_s: float) -> Iterator[bytes]:
    """Yield the answer's body; failures of the network become errors of this module, so OSError is the disk's."""
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as response:
            while piece := response.read(_PIECE_BYTES):
                yield piece
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == _TOO_MANY_REQUESTS or error.code >= 500:
            raise TransientError(f"{request.full_url} answered {error.code} {error.reason}") from None
        raise FetchError(f"{request.full_url} answered {error.code} {error.reason}; check --server and --bbox") from None
    except TimeoutError:
        raise TransientError(f"{request.full_url} was silent for {timeout_s:g} s") from None
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        raise TransientError(f"the connection to {request.full_url} failed: {getattr(error, 'reason', error)}") from None


def _limited(pieces: Iterator[bytes], max_bytes: int, progress: Callable[[str], None]) -> Iterator[bytes]:
    """Pass the pieces on, report how much has come, and stop at the limit."""
    size_bytes = 0
    reported_s = time.monotonic()
    for piece in pieces:
        size_bytes += len(piece)
        if size_bytes > max_bytes:
            raise FetchError(f"the map is larger than {max_bytes / BYTES_PER_MB:g} MB; give a smaller --bbox or a larger --max-mb")
        yield piece
        if time.monotonic() - reported_s >= _PROGRESS_EVERY_S:
            reported_s = time.monotonic()
            progress(f"{size_bytes / BYTES_PER_MB:.1f} MB {SO_FAR}")
    progress(f"{size_bytes / BYTES_PER_MB:.1f} MB received")
