"""Measure control steps per second of the embedded scenes in one process: physics, lidars, response bytes."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping

import numpy as np

from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.players.duel.scene import DuelScene
from rl_pipeline.players.navigation.scene import NavigationScene
from rl_pipeline.players.scene import Scene

ACTIONS: Mapping[type[Scene], Mapping[str, tuple[float, float]]] = {
    NavigationScene: {"action.linear.x": (-1.5, 1.5), "action.angular.z": (-2.0, 2.0)},
    DuelScene: {
        "blue.drive.linear.x": (-1.5, 1.5),
        "blue.drive.angular.z": (-2.0, 2.0),
        "blue.turret_rate": (-2.5, 2.5),
        "blue.fire": (1.0, 1.0),
    },
}
"""Ranges of the random values of a request, by field."""


def measure(scene: Scene, steps: int, episode: int, seed: int) -> tuple[float, float]:
    """Return seconds per control step and per reset, with random actions and another arena in each episode."""
    step = load_interfaces().service(scene.step_service)
    response = step.response.layout(scene.lengths).empty(1)
    write_state = scene.state_writer(response)
    request = step.request.layout().empty(1)
    ranges = ACTIONS[type(scene)]
    actions = np.random.default_rng(seed).uniform(*np.transpose(list(ranges.values())), size=(steps, len(ranges)))
    resetting = stepping = 0.0
    for index, action in enumerate(actions):
        start = time.perf_counter()
        if index % episode == 0:
            scene.reset(seed + index)
            resetting += time.perf_counter() - start
            start = time.perf_counter()
        for field, value in zip(ranges, action, strict=True):
            request[field][0] = value
        scene.act(request)
        scene.advance(scene.substeps)
        write_state()
        response.bytes(0)
        stepping += time.perf_counter() - start
    return stepping / steps, resetting / -(-steps // episode)


def main() -> None:
    """Measure all scenes and print their rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20_000, help="control steps")
    parser.add_argument("--episode", type=int, default=100, help="control steps of an episode")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for scene in (NavigationScene(), DuelScene()):
        step, reset = measure(scene, options.steps, options.episode, options.seed)
        rate = f"{1 / step:,.0f} control steps/s ({step * 1e6:.1f} us a step, {reset * 1e3:.1f} ms a reset)"
        print(f"{scene.name:12}{rate}")


if __name__ == "__main__":
    main()
