"""Downloads the roads of an area from OpenStreetMap with an Overpass server; not a converter to a SUMO network."""

import argparse
import math
import os
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from msmf_traci.command_line import Parser
from msmf_traci.errors import InputError, MsmfError
from msmf_traci.scenario.cache_folder import cache_folder
from msmf_traci.scenario.fetched import note_fetched, record_of
from msmf_traci.scenario.overpass import BYTES_PER_MB, SO_FAR, Bbox, FetchError, TransientError, download, roads_request

__all__ = ["DEFAULT_BBOX", "DEFAULT_SERVER", "LICENCE", "FetchError", "default_out", "fetch_map", "main"]

DEFAULT_SERVER = "https://overpass-api.de/api/interpreter"
DEFAULT_BBOX: Bbox = (116.25, 39.795, 116.50, 40.001)  # central Beijing
DEFAULT_NAME = "beijing_central.osm.gz"
DATA_VARIABLE = "MSMF_DATA_DIR"
LICENCE = "(c) OpenStreetMap contributors, ODbL 1.0"
PROGRAM = "msmf-traci fetch"
INTERRUPTED_CODE = 130  # 128 + SIGINT, as shells report it
_LONGEST_PAUSE_S = 600.0


def fetch_map(
    bbox: Bbox,
    out: Path,
    *,
    server: str = DEFAULT_SERVER,
    retries: int = 3,
    timeout_s: float = 180,
    max_bytes: int = 400_000_000,
    wait_s: float = 10,
    progress: Callable[[str], None],
    force: bool = False,
) -> Path:
    """Download the driveable roads in a box, with their nodes, as OSM XML.

    Parameters
    ----------
    bbox
        West, south, east, north in degrees.
    out
        The file to make, compressed if its name ends in .gz; its folder is made if missing.
    server
        Address of the Overpass interpreter.
    retries
        Further attempts after a failure that may pass (429, 5xx, a broken connection, a truncated answer).
    timeout_s, wait_s
        Longest silence of the server, and the pause before the second attempt (it doubles each time), in seconds.
    max_bytes
        Most bytes to accept, before compression.
    progress
        Called with one line of text as the download goes on.
    force
        Replace ``out`` if it exists.

    Returns
    -------
    ``out``, complete and checked.

    Raises
    ------
    InputError
        If an argument is wrong or ``out`` cannot be written; the server was not asked.
    FetchError
        If the server did not send a good extract; nothing was left behind.
    """
    _check_bbox(bbox)
    _check_server(server)
    _check_limits(retries, timeout_s, max_bytes, wait_s)
    _check_target(out, force)
    request = roads_request(bbox, server, timeout_s)
    with _scratch_file(out) as scratch:
        progress(f"fetching {out} from {server}")
        for attempt in range(retries + 1):
            try:
                download(request, scratch, timeout_s, max_bytes, progress, compress=out.suffix.lower() == ".gz")
                break
            except TransientError as error:
                _pause(error, attempt, retries, wait_s, progress)
        _move(scratch, out)
    return out


def default_out() -> Path:
    """Return where the default map goes: MSMF_DATA_DIR/beijing if that can be written, else the user's cache."""
    data = os.environ.get(DATA_VARIABLE)
    if data:
        folder = Path(data).expanduser() / "beijing"
        existing = folder if folder.exists() else folder.parent
        if existing.is_dir() and os.access(existing, os.W_OK):
            return folder / DEFAULT_NAME
    return cache_folder() / "maps" / DEFAULT_NAME


def _check_bbox(bbox: Sequence[float]) -> None:
    west, south, east, north = bbox
    where = f"the bbox {','.join(str(value) for value in bbox)}"
    if not all(math.isfinite(value) for value in bbox):
        raise InputError(f"{where} has a value that is not a finite number; give W,S,E,N in degrees")
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= 90 and -90 <= north <= 90):
        raise InputError(f"{where} is outside the Earth; give W,S,E,N with W and E in -180..180, S and N in -90..90")
    if west >= east or south >= north:
        raise InputError(f"{where} is empty; give W,S,E,N with W below E and S below N")


def _check_server(server: str) -> None:
    try:
        parts = urllib.parse.urlsplit(server)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not server.isascii() or any(character.isspace() for character in server):
        raise InputError(f"the server {server!r} is not an http(s) address; give one such as {DEFAULT_SERVER}")


def _check_limits(retries: int, timeout_s: float, max_bytes: int, wait_s: float) -> None:
    for name, value, lowest, highest in (
        ("retries", retries, 0, 100),
        ("timeout_s", timeout_s, 0.01, 86_400),
        ("max_bytes", max_bytes, 1, 10**12),
        ("wait_s", wait_s, 0, 3_600),
    ):
        if not lowest <= value <= highest:  # true for NaN, too
            raise InputError(f"the download's {name} is {value}; give {lowest:,} to {highest:,}")


def _check_target(out: Path, force: bool) -> None:
    try:
        is_folder, exists = out.is_dir(), out.exists()
    except OSError as error:
        raise InputError(f"{out} cannot be read ({error.strerror}); give --out in another folder") from None
    if is_folder:
        raise InputError(f"{out} is a folder; give --out the name of a file in it")
    if exists and not force:
        raise InputError(f"{out} exists already; use it, give another --out, or --force to replace it")


@contextmanager
def _scratch_file(out: Path) -> Iterator[Path]:
    """Give a new file beside the target; on failure it goes again, with the folders that were made for it."""
    missing = [folder for folder in out.parents if not folder.exists()]
    scratch = out.parent / f".{out.name}.{os.getpid()}.part"
    done = False
    try:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            scratch.touch()
        except OSError as error:
            raise InputError(f"{out.parent} cannot be written ({error.strerror}); give --out in another folder") from None
        yield scratch
        done = True
    finally:
        _remove(scratch.unlink)
        for folder in [] if done else missing:
            _remove(folder.rmdir)


def _pause(error: TransientError, attempt: int, retries: int, wait_s: float, progress: Callable[[str], None]) -> None:
    """Wait before the next attempt, longer each time; give up after the last one."""
    if attempt == retries:
        raise FetchError(f"the download failed: {error}; try later or another --server") from None
    pause_s = min(wait_s * 2**attempt, _LONGEST_PAUSE_S)
    progress(f"{error}; attempt {attempt + 2} of {retries + 1} in {pause_s:g} s")
    time.sleep(pause_s)


def _move(scratch: Path, out: Path) -> None:
    """Give the map its name, and put its hash beside it."""
    try:
        record_of(out).unlink(missing_ok=True)  # of the map that is replaced
        scratch.replace(out)
        note_fetched(out)
    except OSError as error:
        raise FetchError(f"{out} cannot be made ({error.strerror}); give another --out") from None


def _remove(action: Callable[[], None]) -> None:
    # Never made, renamed already, or used by somebody else meanwhile: each is fine.
    with suppress(OSError):
        action()


class _Console:
    """Shows progress on stderr: on a terminal one line that is updated, elsewhere a line each time."""

    def __init__(self) -> None:
        self._line_open = False

    def __call__(self, text: str) -> None:
        if not sys.stderr.isatty():
            print(text, file=sys.stderr, flush=True)
            return
        self._line_open = text.endswith(SO_FAR)
        # Return to the start of the line and clear it to its end (ANSI).
        print(f"\r{text}\033[K", end="" if self._line_open else "\n", file=sys.stderr, flush=True)

    def finish(self) -> None:
        """End the line that is being updated, so that what follows has its own."""
        if self._line_open:
            print(file=sys.stderr)
            self._line_open = False


def _bbox(text: str) -> Bbox:
    try:
        west, south, east, north = (float(value) for value in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not four numbers W,S,E,N in degrees") from None
    return west, south, east, north


def _parser() -> Parser:
    parser = Parser(PROGRAM, description="Download the roads of an area from OpenStreetMap.", allow_abbrev=False)
    shown_out = str(default_out()).replace("%", "%%")  # argparse formats the help with %
    default_bbox = ",".join(str(value) for value in DEFAULT_BBOX)
    parser.add_argument("--bbox", type=_bbox, default=DEFAULT_BBOX, help=f"W,S,E,N in degrees ({default_bbox})")
    parser.add_argument("--out", type=Path, help=f"file to make, .osm or .osm.gz ({shown_out})")
    parser.add_argument("--server", default=DEFAULT_SERVER, help="address of an Overpass server (%(default)s)")
    parser.add_argument("--retries", type=int, default=3, help="attempts after the first one (%(default)s)")
    parser.add_argument("--max-mb", type=float, default=400.0, help="largest download in MB, uncompressed (%(default)g)")
    parser.add_argument(
        "--timeout-s", type=float, default=180.0, help="seconds of silence after which an attempt is given up (%(default)g)"
    )
    parser.add_argument(
        "--wait-s", type=float, default=10.0, help="seconds before the second attempt, doubled for each further one (%(default)g)"
    )
    parser.add_argument("--force", action="store_true", help="replace the file if it exists")
    return parser


def _joined_bbox(arguments: Sequence[str]) -> list[str]:
    """Write ``--bbox -74,40,...`` as one word, because argparse takes the western half of the Earth for options."""
    words = list(arguments)
    for index in range(len(words) - 1):
        if words[index] == "--bbox" and "," in words[index + 1]:
            return [*words[:index], f"--bbox={words[index + 1]}", *words[index + 2 :]]
    return words


def _fetch_as_asked(arguments: Sequence[str], console: _Console) -> None:
    options = _parser().parse_args(_joined_bbox(arguments))
    if not math.isfinite(options.max_mb):
        raise InputError(f"--max-mb is {options.max_mb}; give a number above 0")
    out = options.out if options.out is not None else default_out()
    fetch_map(
        options.bbox,
        out,
        server=options.server,
        retries=options.retries,
        timeout_s=options.timeout_s,
        max_bytes=int(options.max_mb * BYTES_PER_MB),
        wait_s=options.wait_s,
        progress=console,
        force=options.force,
    )
    console.finish()
    print(f"{out} ({out.stat().st_size / BYTES_PER_MB:.1f} MB)")
    print(LICENCE)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the console script.

    Returns
    -------
    0 if the map is there, 2 if an argument was wrong or the download failed, 130 if it was interrupted.
    """
    console = _Console()
    try:
        _fetch_as_asked(sys.argv[1:] if argv is None else argv, console)
    except (MsmfError, KeyboardInterrupt) as error:
        console.finish()
        interrupted = isinstance(error, KeyboardInterrupt)
        text = "interrupted; nothing was left behind" if interrupted else str(error)
        print(f"{PROGRAM}: {text}", file=sys.stderr)
        if interrupted:
            return INTERRUPTED_CODE
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
