"""Face detection: looks for faces in a video that it plays over and over, and says where they are; its memory is a history of the findings.

The video and the cascade lie beside this file, OpenCV and NumPy in a folder of packages there (none: where Python finds them).
"""

from __future__ import annotations

import os
import struct
import sys

import service

FRAMES_PER_S = 8

_HERE = os.path.dirname(os.path.realpath(__file__))
VIDEO, CASCADE, PACKAGES = (os.path.join(_HERE, name) for name in ("video.avi", "haarcascade_frontalface_default.xml", "packages"))

# their libraries would start threads when they are loaded
os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
if os.path.isdir(PACKAGES):
    sys.path.insert(0, PACKAGES)

import cv2  # noqa: E402

_SMALLEST_FACE = (36, 36)
# a finding: frames so far, frames with a face so far, the first face, how many
_FINDING = struct.Struct("<QQ4HII")


class Program(service.Application):
    """The detector."""

    def __init__(self) -> None:
        cv2.setNumThreads(0)
        cv2.ocl.setUseOpenCL(False)
        self._cascade = cv2.CascadeClassifier(CASCADE)
        self._frames = _load(VIDEO)
        self._frame = 0
        self._frames_detected = 0
        self._faces: list[list[int]] = []
        self._due_s = 0.0

    def payload(self, number: int, generation: int, previous: bytes) -> bytes:
        """The latest finding."""
        first = self._faces[0] if self._faces else [0, 0, 0, 0]
        finding = _FINDING.pack(self._frame, self._frames_detected, *first, len(self._faces), generation & 0xFFFFFFFF)
        return finding + os.urandom(service.PAYLOAD_BYTES - _FINDING.size)

    def advance(self, elapsed_s: float) -> None:
        """Look at the next frame when it is time; never at several, which would keep requests waiting."""
        self._due_s += elapsed_s
        if self._due_s >= 1 / FRAMES_PER_S:
            self._due_s -= 1 / FRAMES_PER_S
            found = self._cascade.detectMultiScale(
                self._frames[self._frame % len(self._frames)], scaleFactor=1.15, minNeighbors=3, minSize=_SMALLEST_FACE
            )
            self._faces = [[int(part) for part in face] for face in found]
            self._frame += 1
            self._frames_detected += bool(self._faces)

    def answer(self, request: dict[str, object]) -> dict[str, object]:
        """Where the faces are in the latest frame, how many frames there were so far, and how many of these with a face."""
        return {"frame": self._frame, "faces": self._faces, "frames_detected": self._frames_detected}


def _load(path: str) -> list[cv2.typing.MatLike]:
    """All frames of a video in shades of grey; the file is closed again."""
    video = cv2.VideoCapture(path, cv2.CAP_OPENCV_MJPEG)
    frames = []
    while True:
        is_there, frame = video.read()
        if not is_there:
            break
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY))
    video.release()
    if not frames:
        print(f"face: {path}: there is no video there; build the image again", file=sys.stderr)
        raise SystemExit(2)
    return frames


if __name__ == "__main__":
    service.serve(Program())
