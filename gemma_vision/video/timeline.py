"""Timeline: what was seen in a video and when, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gemma_vision.answers.answer import Answer
from gemma_vision.answers.instance_json import JSON
from postprocess.palette import Color, label_colors


@dataclass
class Timeline:
    """What was seen, sample by sample. Holds no pictures.

    size: of the pictures that the pixels count in. `finish` is "stop" when the whole video was
    looked at, "limit" when the most frames were, "cancelled" when somebody stopped it.
    """

    size: tuple[int, int]
    every: int
    finish: str = "cancelled"
    seconds: float = 0.0  # until the last frame that was written is over
    num_frames: int = 0  # written
    samples: list[JSON] = field(default_factory=list)
    objects: dict[int, JSON] = field(default_factory=dict)  # by id
    warnings: list[JSON] = field(default_factory=list)  # about the whole video
    _head: JSON = field(default_factory=dict)

    def add(self, frame: int, time: float, answer: Answer, ids: Sequence[int]) -> None:
        """Note an answer about a frame, `time` in seconds, and the ids of its instances."""
        told = answer.to_dict()
        self._head = {key: told[key] for key in ("model", "task", "prompt", "policy")}
        found = [{"id": id_} | one for id_, one in zip(ids, told["instances"], strict=True)]
        kept = {key: told[key] for key in ("text", "plain", "finish", "warnings")}
        at = round(time, 6)
        self.samples.append({"frame": frame, "time": at} | kept | {"instances": found})
        for one in found:
            row = self.objects.setdefault(
                one["id"],
                {"id": one["id"], "label": one["label"], "first": at, "last": at, "samples": 0},
            )
            row |= {"last": at, "samples": row["samples"] + 1}

    @property
    def colors(self) -> dict[str, Color]:
        """Label -> colour, in the order in which the labels came; later ones change no earlier."""
        return label_colors(row["label"] for row in self.objects.values())

    def to_dict(self) -> JSON:
        """{"model", "task", "prompt", "policy", "video", "every", "finish", "warnings", ...}

        Then "objects" and "frames". "video" has the size, the average "rate" in frames a second,
        and how much was written. Each entry of "objects" has its id, label, the seconds when it was
        seen "first" and "last" and in how many "samples"; each of "frames" its number, its "time"
        in seconds and what an answer has, every instance with the "id" of its object.
        """
        video = {
            "width": self.size[0],
            "height": self.size[1],
            "rate": round(self.num_frames / self.seconds, 6) if self.seconds else None,
            "seconds": round(self.seconds, 6),
            "frames": self.num_frames,
        }
        head = self._head | {"video": video, "every": self.every, "finish": self.finish}
        head |= {"warnings": list(self.warnings)}
        return head | {"objects": list(self.objects.values()), "frames": list(self.samples)}
