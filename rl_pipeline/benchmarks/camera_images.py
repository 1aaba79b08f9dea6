"""Steps with a camera image in every response: the images benchmark.

Raw images are received into the batch that the task observes, without any further work, so that their reference is an
echo of as many bytes (see echo.py). JPEGs are also decoded, by threads next to the one that steps; their reference is a
single thread that only decodes.
"""

from __future__ import annotations

import io
import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rl_pipeline.benchmarks.canned import Round, canned_simulation, rate_of, request_size, step_batched
from rl_pipeline.benchmarks.echo import Echo
from rl_pipeline.benchmarks.figures import Bar, Figures, interleave, spread
from rl_pipeline.interfaces import Batch
from rl_pipeline.interfaces.images import ImageSpec, decode_image
from rl_pipeline.plurals import plural
from rl_pipeline.tasks.navigation import NavigationTask

NOTE: Final = (
    "Raw: against an echo of the same bytes between as many processes. JPEG: against one thread that decodes the same "
    "images and does nothing else. Each reference was measured next to its case. Median of the repetitions."
)
_JPEG_QUALITY: Final = 90


class ImageTask(NavigationTask):
    """The navigation task observed through a camera, with episodes that never end.

    Observation: the image as received, shape (height, width, 3).

    Args:
        image: size and format of the images.
    """

    def __init__(self, image: ImageSpec) -> None:
        super().__init__(max_episode_steps=2**60)
        self.image = image
        self.observation_space = spaces.Box(0, 255, image.shape, np.uint8)

    def observation(self, state: Batch) -> NDArray[Any]:
        """Return the images, shape (N, height, width, 3)."""
        images: NDArray[np.uint8] = state.image
        return images


@dataclass
class Case:
    """Players that answer with images of one size and format.

    Attributes:
        image: size and format.
        players: player processes.
        reach: target, as a share of the reference; 0: none is set.
        rates: environment steps per second, one for each repetition.
        ratios: the same divided by the rate of the reference.
    """

    image: ImageSpec
    players: int
    reach: float = 0.0
    rates: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Label of the case."""
        kind = "JPEG" if self.image.format == "jpeg" else "raw"
        players = f"{self.players} {plural(self.players, 'player')}"
        return f"{self.image.width} x {self.image.height} {kind}, {players}"

    def row(self) -> tuple[str, ...]:
        """Return the cells of the table."""
        rate, ratio = statistics.median(self.rates), statistics.median(self.ratios)
        megabytes = rate * np.prod(self.image.shape) / 1e6
        reach = f"{self.reach:.2f}" if self.reach else ""
        return self.name, f"{rate:,.0f}", f"{megabytes:,.0f}", f"{ratio:.2f}", spread(self.ratios), reach


def measure_images(
    players: int = 16, *, seconds: float = 1.0, repetitions: int = 3, progress: Callable[[str], object] = str
) -> Figures:
    """Measure small images with `players` players and large ones with a quarter as many, raw and as JPEG.

    Args:
        players: player processes.
        seconds: length of one measurement.
        repetitions: measurements of each case, interleaved.
        progress: called with the name of each case.
    """
    few = max(1, players // 4)
    cases = [
        Case(ImageSpec(84, 84), players, reach=0.70),
        Case(ImageSpec(720, 1280), few, reach=0.60),
        Case(ImageSpec(84, 84, "jpeg"), players),
        Case(ImageSpec(720, 1280, "jpeg"), few),
    ]
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rl_pipeline_benchmark_")))
        named = [
            (case.name, (case, *_open_case(stack, case, directory / str(index)))) for index, case in enumerate(cases)
        ]
        for case, step, reference_step in interleave(named, repetitions, progress):
            # The reference comes right before its case, on a machine in the same state.
            reference = rate_of(reference_step, 1 if case.image.format == "jpeg" else case.players, seconds)
            case.rates.append(rate_of(step, case.players, seconds))
            case.ratios.append(case.rates[-1] / reference)
    return Figures(
        "Environment steps per second, an image in every response",
        ("image", "steps/s", "MB/s of pixels", "of the reference", "spread", "reach"),
        [case.row() for case in cases],
        NOTE,
        {"cases": [asdict(case) for case in cases]},
        [Bar(case.name, case.ratios, case.reach) for case in cases if case.image.format != "jpeg"],
    )


def _open_case(stack: ExitStack, case: Case, directory: Path) -> tuple[Round, Round]:
    """Start the players of a case; returns a step of all of them, and the reference."""
    directory.mkdir()
    picture = make_image(case.image)
    config, response_size = canned_simulation(directory, image=picture)
    step = step_batched(stack, config, directory / "logs", case.players, ImageTask(case.image))
    if case.image.format == "jpeg":
        return step, lambda: decode_image(picture, case.image.shape)
    return step, stack.enter_context(Echo(case.players, request_size(), response_size)).round


def make_image(image: ImageSpec) -> bytes:
    """Return the bytes of an image with about the detail of a camera's, so that JPEG compresses it as much."""
    # Waves of another length in each colour, and noise.
    rows, columns = np.mgrid[: image.height, : image.width]
    waves = [np.sin(rows / (9.0 + 4 * colour)) + np.cos(columns / (7.0 + 5 * colour)) for colour in range(3)]
    noise = np.random.default_rng(0).normal(0.0, 0.1, image.shape)
    pixels = ((np.stack(waves, axis=-1) / 4 + 0.5 + noise).clip(0.0, 1.0) * 255).astype(np.uint8)
    if image.format != "jpeg":
        return pixels.tobytes()
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "jpeg", quality=_JPEG_QUALITY)
    return buffer.getvalue()
