"""Control steps per second of the navigation scene in one process, without a wire: physics, lidar, response bytes."""

from __future__ import annotations

import argparse
import time

import numpy as np

from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.players.navigation.scene import NavigationScene


def measure(steps: int, episode: int, seed: int) -> tuple[float, float]:
    """Seconds per control step and per reset, with random actions and an arena of its own for each episode."""
    scene = NavigationScene(seed=seed)
    step = load_interfaces().service(scene.step_service)
    response = step.response.layout(scene.lengths).empty(1)
    write_state = scene.state_writer(response)
    request = step.request.layout().empty(1)
    actions = np.random.default_rng(seed).uniform((-1.5, -2.0), (1.5, 2.0), size=(steps, 2))
    resetting = stepping = 0.0
    for index, (speed, turn_rate) in enumerate(actions):
        start = time.perf_counter()
        if index % episode == 0:
            scene.reset(seed + index)
            resetting += time.perf_counter() - start
            start = time.perf_counter()
        request["action.linear.x"][0], request["action.angular.z"][0] = speed, turn_rate
        scene.act(request)
        scene.advance(scene.substeps)
        write_state()
        response.bytes(0)
        stepping += time.perf_counter() - start
    return stepping / steps, resetting / -(-steps // episode)


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20_000, help="control steps")
    parser.add_argument("--episode", type=int, default=100, help="control steps of an episode")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    step, reset = measure(options.steps, options.episode, options.seed)
    print(f"{1 / step:,.0f} control steps/s ({step * 1e6:.1f} us a step, {reset * 1e3:.1f} ms a reset)")


if __name__ == "__main__":
    main()
