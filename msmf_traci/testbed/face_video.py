"""The video in the image of the face application: a drawn face that wanders over a textured background and comes nearer and goes away."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from msmf_traci.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

INSTALL_OPENCV = f"run {sys.executable} -m pip install 'msmf-traci[testbed]'"
WIDTH, HEIGHT, FRAMES, FRAMES_PER_S = 160, 120, 64, 8
_SEED = 5
# half the face's height, in pixels: between these
_SMALLEST, _LARGEST = 26.0, 40.0
# drawn larger, then made smaller: soft edges
_ENLARGED = 2


def write_video(path: Path) -> None:
    """Draw the video and write it as MJPG in AVI, which OpenCV reads without further libraries.

    Raises
    ------
    InputError
        If OpenCV is not installed, or cannot write the file.
    """
    try:
        import cv2
    except ImportError:
        raise InputError(f"the application face needs OpenCV, which is not installed; {INSTALL_OPENCV}, or choose game or ram") from None
    writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, cv2.VideoWriter.fourcc(*"MJPG"), FRAMES_PER_S, (WIDTH, HEIGHT))
    if not writer.isOpened():
        raise InputError(f"{path}: OpenCV cannot write a video there; make sure that its folder exists and has free space")
    background = _background(cv2)
    for number in range(FRAMES):
        turn = 2 * math.pi * number / FRAMES
        radius = (_SMALLEST + _LARGEST) / 2 + (_LARGEST - _SMALLEST) / 2 * math.sin(turn)
        centre = WIDTH / 2 + 30 * math.cos(turn), HEIGHT / 2 + 12 * math.sin(2 * turn)
        writer.write(_frame(cv2, background, centre, radius))
    writer.release()


def _background(cv2: Any) -> NDArray[np.uint8]:
    """Soft blotches of several sizes, in colour."""
    draw = np.random.default_rng(_SEED)
    texture = np.full((HEIGHT, WIDTH, 3), 110.0)
    for cells, strength in ((5, 35.0), (20, 15.0), (60, 8.0)):
        coarse = draw.normal(0.0, strength, (cells * HEIGHT // WIDTH + 1, cells, 3)).astype(np.float32)
        texture += cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    background: NDArray[np.uint8] = np.clip(texture, 0, 255).astype(np.uint8)
    return background


def _frame(cv2: Any, background: NDArray[np.uint8], centre: tuple[float, float], radius: float) -> NDArray[np.uint8]:
    """The background with a face of half height `radius` about `centre`: the shades that a detector goes by."""
    size = WIDTH * _ENLARGED, HEIGHT * _ENLARGED
    frame = cv2.resize(background, size, interpolation=cv2.INTER_LINEAR)
    unit = radius * _ENLARGED

    def at(x: float, y: float) -> tuple[int, int]:
        return round(centre[0] * _ENLARGED + x * unit), round(centre[1] * _ENLARGED + y * unit)

    def oval(x: float, y: float, across: float, down: float, shade: int, blur: float, start: int = 0, end: int = 360) -> None:
        """Blend an oval of one shade in, with soft edges."""
        nonlocal frame
        mask = np.zeros(size[::-1], np.uint8)
        cv2.ellipse(mask, at(x, y), (max(round(across * unit), 1), max(round(down * unit), 1)), 0, start, end, 255, -1)
        weight = cv2.GaussianBlur(mask, (0, 0), blur * unit)[..., None] / 255.0
        # skin is redder than it is blue
        colour = np.array([shade * 0.8, shade * 0.92, min(shade * 1.1, 255.0)])
        frame = (frame * (1 - weight) + colour * weight).astype(np.uint8)

    oval(0, -0.12, 0.82, 1.05, 45, 0.02)  # hair
    oval(0, 1.15, 0.35, 0.45, 150, 0.03)  # neck
    oval(0, 0, 0.72, 0.95, 190, 0.03)  # face
    oval(0, -0.52, 0.5, 0.22, 215, 0.1)  # forehead
    for side in (-1, 1):
        oval(side * 0.4, 0.25, 0.2, 0.2, 212, 0.08)  # cheek
        oval(side * 0.3, -0.14, 0.22, 0.13, 115, 0.05)  # eye socket
        oval(side * 0.3, -0.29, 0.21, 0.05, 50, 0.02)  # brow
        oval(side * 0.3, -0.13, 0.13, 0.06, 205, 0.015)  # white of the eye
        oval(side * 0.3, -0.13, 0.06, 0.065, 25, 0.015)  # iris
    oval(0, -0.02, 0.07, 0.3, 215, 0.04)  # bridge of the nose
    oval(0, 0.3, 0.16, 0.06, 120, 0.03)  # shadow below the nose
    oval(0, 0.56, 0.27, 0.075, 95, 0.02)  # mouth
    oval(0, 0.7, 0.2, 0.04, 150, 0.04)  # shadow below it
    small: NDArray[np.uint8] = cv2.resize(frame, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return small
