"""What a container asks of full servers, and what it gets (section 8, reading 23)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .lattice import Server

HOME, TARGET = "home", "target"
Choices = Callable[[Server], Iterable[Server]]  # what comes instead of a full server: those of lower tiers that meet the level


class Admission:
    """The requests of one container: for a home (rules 3 and 4) and for a target (rule 2), each remembered by itself."""

    def __init__(self, has_room: Callable[[Server], bool]) -> None:
        self.has_room = has_room  # whether a server has room for the container, and its store for the image
        self.last: dict[str, tuple[Server, Server | None]] = {}  # what was asked for last, and what was granted

    def forget(self, purpose: str) -> None:
        """At a frame at which nothing is wanted (KEEP, NONE or the host), the same is asked for no longer; later it is asked for anew."""
        self.last.pop(purpose, None)

    def grant(self, purpose: str, wanted: Server) -> None:
        """The target of the open transfer is granted to a stopped container, and is something else than what was asked for before."""
        self.last[purpose] = wanted, wanted

    def ask(
        self,
        purpose: str,
        wanted: Server,
        own: Sequence[Server],
        second: Choices,
        refuse: Callable[[Server], None],
    ) -> Server | None:
        """What is granted when `wanted` is asked for; `own`: the host, then the target of the open transfer; `second` names what comes instead."""
        asked, granted = self.last.get(purpose, (None, None))
        if wanted != asked:
            granted = None
        # "What was granted instead holds as long as the same is asked for (and it has room, where it has to be sent to anew)."
        if granted is not None and granted != wanted and self.can_stand_in(purpose, granted, own):
            return granted
        # "A home or a target that is full is refused, unless it is the host or the target of the open transfer."
        if wanted in own or self.has_room(wanted):
            self.last[purpose] = wanted, wanted
            return wanted
        # "Where nothing was granted, the room is asked for again at every frame, and booked as refused only the first time. A refusal is
        # booked again when something else was asked for meanwhile, or what was granted before is refused now": what is refused is `wanted`;
        # a second choice that is lost is chosen anew and books nothing.
        if wanted != asked or granted == wanted:
            refuse(wanted)
        instead = self.instead(purpose, wanted, own, second)
        self.last[purpose] = wanted, instead
        return instead

    def instead(self, purpose: str, wanted: Server, own: Sequence[Server], second: Choices) -> Server | None:
        """The next choice: "the next tier down that has room and meets L_i, and so on down to the lowest, else KEEP" (section 8), or NONE."""
        return next((choice for choice in second(wanted) if self.can_stand_in(purpose, choice, own)), None)

    def can_stand_in(self, purpose: str, choice: Server, own: Sequence[Server]) -> bool:
        """Whether a second choice "has room (or is the host, or is being copied to)"; for a target "unless it is the host"."""
        if choice == own[0]:
            return purpose == HOME
        return choice in own or self.has_room(choice)
