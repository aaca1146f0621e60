"""A small game server: players walk about in a world of many regions, and in each region something lives that moves by itself.

The world lies in the memory: a page is a region, its payload the creature in it. Going over the regions in sequence is what changes memory.
Where a player stands follows from the player's moves alone, and where a creature is from how often its region was gone over.
"""

from __future__ import annotations

import struct
from binascii import crc32

import service

TICK_S = 0.05
WORLD = 1000.0
# per axis and move
FARTHEST_MOVE = 5.0

_LONGEST_NAME = 32
_MOST_PLAYERS = 1000
# x and y within the region (0 to 1), both speeds, what it is, steps so far
_CREATURE = struct.Struct("<4d2I")
_CREATURE_KINDS = 7


class Program(service.Application):
    """The game."""

    def __init__(self) -> None:
        self._tick = 0
        self._due_s = 0.0
        self._players: dict[str, list[float]] = {}
        self._moves: list[tuple[str, float, float]] = []

    def payload(self, number: int, generation: int, previous: bytes) -> bytes:
        """The creature of a region, one step on."""
        if generation == 0:
            drawn = crc32(number.to_bytes(8, "little"))
            place = (drawn & 0xFF) / 256, (drawn >> 8 & 0xFF) / 256
            speed = ((drawn >> 16 & 0xFF) - 128) / 1024, ((drawn >> 24 & 0xFF) - 128) / 1024
            return _CREATURE.pack(*place, *speed, drawn % _CREATURE_KINDS, 0)
        x, y, dx, dy, kind, _ = _CREATURE.unpack(previous)
        x += dx
        y += dy
        if not 0 <= x <= 1:
            x, dx = (-x if x < 0 else 2 - x), -dx
        if not 0 <= y <= 1:
            y, dy = (-y if y < 0 else 2 - y), -dy
        return _CREATURE.pack(x, y, dx, dy, kind, generation & 0xFFFFFFFF)

    def advance(self, elapsed_s: float) -> None:
        """Ticks: moves take effect, in the order in which they came."""
        self._due_s += elapsed_s
        while self._due_s >= TICK_S:
            self._due_s -= TICK_S
            self._tick += 1
            for name, dx, dy in self._moves:
                place = self._players[name]
                place[0] = min(max(place[0] + dx, 0.0), WORLD)
                place[1] = min(max(place[1] + dy, 0.0), WORLD)
            self._moves.clear()

    def answer(self, request: dict[str, object]) -> dict[str, object]:
        """Where the player stands, and what lives there; a move takes effect with the next tick."""
        common: dict[str, object] = {"tick": self._tick}
        name = request.get("player")
        if isinstance(name, str) and len(name) <= _LONGEST_NAME and (name in self._players or len(self._players) < _MOST_PLAYERS):
            place = self._players.get(name)
            if place is None:
                drawn = crc32(name.encode("utf-8", "surrogatepass"))
                place = self._players[name] = [float(drawn % int(WORLD)), float((drawn >> 12) % int(WORLD))]
            move = request.get("move")
            if isinstance(move, list) and len(move) == 2 and all(isinstance(part, int | float) for part in move):
                self._moves.append((name, _limited(move[0]), _limited(move[1])))
            creature = _CREATURE.unpack(self.memory.payload(self._region(place)))
            common |= {"player": name, "position": list(place), "creature": {"kind": creature[4], "at": list(creature[:2])}}
        return common | {"players": len(self._players)}

    def _region(self, place: list[float]) -> int:
        """Number of the region at a place: they lie in rows, as many as fit in a square."""
        side = int(self.memory.pages**0.5)
        column, row = (min(int(part / WORLD * side), side - 1) for part in place)
        return row * side + column


def _limited(part: float) -> float:
    return float(min(max(part, -FARTHEST_MOVE), FARTHEST_MOVE)) if part == part else 0.0


if __name__ == "__main__":
    service.serve(Program())
