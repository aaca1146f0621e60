"""Images of the applications, each made once for all sessions of a command."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from msmf_traci.testbed.image import ROOTFS, ImageFacts, build_image


@dataclass
class Images:
    """Images made so far.

    Attributes
    ----------
    folder
        Where they lie.
    """

    folder: Path
    _made: dict[tuple[str, float | None], ImageFacts] = field(default_factory=dict, init=False)

    def get(self, application: str, image_mb: float | None) -> tuple[Path, ImageFacts]:
        """Root file system of an application with an image of that size, made now if it has not been yet.

        Raises
        ------
        InputError
            If the application does not fit into that size.
        """
        key = application, image_mb
        folder = self.folder / f"{application}-{image_mb}"
        if key not in self._made:
            self._made[key] = build_image(application, image_mb, folder)
        return folder / ROOTFS, self._made[key]
