"""Environments with unusual infos, spaces and rewards: trained, or refused in one line that names what is wrong."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable

from rl_pipeline.config.schema import Config
from rl_pipeline.run.rl_trainer import RLTrainer
from tests import odd_environments as odd

MakeConfig = Callable[..., Config]
UNSEEN = {"video_wrapper": False, "render_mode": None, "horizon": None}
SHORT = {"total_timesteps": 64, "log_points": 1, "eval": {"num_evals": 0}, "log_info_keys": ["is_success"]}


def test_success_as_an_array_is_counted_everywhere(make_config: MakeConfig) -> None:
    config = make_config(environment={"id": odd.SUCCESSFUL, **UNSEEN}, training=SHORT)
    folder = RLTrainer(config).train().folder
    assert json.loads(folder.evaluation.read_text())["success_rate"] == 1.0
    with folder.episodes.open() as file:
        assert {row["success"] for row in csv.DictReader(file)} == {"1"}
    with folder.progress.open() as file:
        last = list(csv.DictReader(file))[-1]
    assert float(last["rollout/success_rate"]) == float(last["rollout/is_success"]) == 1.0


def test_normalised_rewards_and_images_fit_a_replay_buffer(make_config: MakeConfig) -> None:
    config = make_config(
        environment={"id": odd.register("Camera", observation=odd.CAMERA), **UNSEEN},
        algorithm={
            "name": "sac",
            "parameters": {"buffer_size": 60, "learning_starts": 10, "batch_size": 4},
            "architecture": {"features_extractor_class": "CustomCNN", "net_arch": [8]},
        },
        wrappers={"normalize": {"observations": False}},
        training={**SHORT, "total_timesteps": 24},
    )
    trainer = RLTrainer(config)
    assert trainer.train().timesteps == 24
