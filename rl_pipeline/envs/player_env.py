"""One player as a `gymnasium.Env`."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from rl_pipeline.config.schema import SimulationConfig
from rl_pipeline.envs.observations import Observations, apply, take_rows
from rl_pipeline.envs.parameters import EnvironmentParameters
from rl_pipeline.envs.player_batch import BatchSettings, PlayerBatch
from rl_pipeline.envs.registration import make_task
from rl_pipeline.envs.task import Task
from rl_pipeline.envs.task_checks import check_task, missing_abilities
from rl_pipeline.interfaces.workspaces import use_workspaces
from rl_pipeline.simulation.simulation import Simulation

logger = logging.getLogger(__name__)


class PlayerEnv(gymnasium.Env[Any, NDArray[Any]]):
    """One environment of a task, on a player of its own that ends with `close`.

    Args:
        task: the task, or the id it is registered with.
        simulation: a running simulation to start the player in, or settings for one of its own (a mapping like
            `simulation:` of the configuration). The default is the embedded player on any free port.
        render_mode: `rgb_array` asks the player for a frame with every step.
        horizon: steps after which an episode is truncated; None: the task's own.
        parameters: of the episodes: numbers, samplers or curricula, like `environment.parameters` of the configuration.
            Of a curriculum, the last lesson counts.
        task_options: keyword arguments of the task, when it is given by its id.
    """

    def __init__(
        self,
        task: Task | str,
        *,
        simulation: Simulation | Mapping[str, Any] | None = None,
        render_mode: str | None = None,
        horizon: int | None = None,
        parameters: Mapping[str, Any] | None = None,
        **task_options: Any,
    ) -> None:
        # Interfaces of the user's own are needed to make and check the task.
        config: SimulationConfig | None = None
        if not isinstance(simulation, Simulation):
            config = SimulationConfig.model_validate(simulation or {"ros": {"tcp_port": 0}})
            use_workspaces(config.workspace)
        self.task = make_task(task, **task_options) if isinstance(task, str) else task
        self.render_mode = render_mode
        self.observation_space = self.task.observation_space
        self.action_space = self.task.action_space
        check_task(self.task)
        drawn = EnvironmentParameters.of(self.task, parameters or {})
        self._next_seed = 0
        # A simulation of this environment's own ends with it.
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._owned: Simulation | None = None
        if not isinstance(simulation, Simulation):
            assert config is not None
            simulation = self._open_simulation(config)
        try:
            frames = render_mode == "rgb_array"
            settings = BatchSettings(frames=frames, horizon=horizon, parameters=drawn.at_last_lesson())
            self._batch = PlayerBatch(self.task, simulation, 1, settings)
        except BaseException:
            self._end_players()
            raise
        self._batch.rendering[:] = frames
        fps = self.task.render_fps(simulation.config.unity.sample_time)
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": fps}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode: from `seed`, or from the seed after the last episode's. A lost player is replaced first."""
        super().reset(seed=seed)
        if seed is not None:
            self._next_seed = seed
        observation = self._batch.reset(np.array([0]), np.array([self._next_seed], np.int64))
        self._next_seed += 1
        return self._only(observation), {}

    def step(self, action: NDArray[Any]) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take one step. A lost player or an invalid state truncates the episode: `player_lost`, `invalid_state`."""
        transition = self._batch.step(np.asarray(action)[None])
        info: dict[str, Any] = {key: value[0] for key, value in self.task.info(self._batch.state).items()}
        info |= dict.fromkeys(transition.causes(), True)
        return (
            self._only(transition.observation),
            float(transition.reward[0]),
            bool(transition.terminated[0]),
            bool(transition.truncated[0]),
            info,
        )

    def render(self) -> NDArray[np.uint8] | None:
        """Return the frame of the last step, shape (height, width, 3); None without `render_mode="rgb_array"`."""
        return self._batch.received.frame(0) if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """End the player if it is this environment's own; safe to call twice."""
        self._batch.close()
        self._end_players()

    def _open_simulation(self, config: SimulationConfig) -> Simulation:
        """Open a simulation whose player logs are in a temporary folder."""
        for sentence in missing_abilities(self.task).values():
            logger.warning("%s", sentence)
        self._directory = tempfile.TemporaryDirectory(prefix="rl_pipeline_players_", ignore_cleanup_errors=True)
        self._owned = Simulation(config, self.task.scene, Path(self._directory.name))
        return self._owned

    def _only(self, observations: Observations) -> Any:
        """Return the observation of the environment; with images a copy, because their memory is written over later."""
        observation = take_rows(observations, 0)
        return observation if self.task.image is None else apply(np.copy, observation)

    def _end_players(self) -> None:
        """Close the simulation and its folder, if they are this environment's own."""
        if self._owned is not None:
            self._owned.close()
            self._owned = None
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = None
