"""Environments with unusual infos, spaces and rewards: trained, or refused in one line that names what is wrong."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError
from rl_pipeline.run.rl_trainer import RLTrainer
from tests.support import odd_environments as odd

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


@pytest.mark.parametrize(
    ("name", "options", "fault"),
    [
        ("RewardArray", {"reward": np.array([1.0])}, r"expected step\(\) to return a number as reward, found array"),
        ("RewardNone", {"reward": None}, r"expected step\(\) to return a number as reward, found None"),
        ("Start", {"observation": spaces.Discrete(4, start=1)}, "expected values that start at 0"),
        ("Dot", {"observation": spaces.Dict({"joint.pos": odd.VECTOR})}, "'joint.pos': PyTorch takes no module"),
        ("Actions", {"action": spaces.MultiDiscrete(np.array([[2], [2]]))}, "expected a MultiDiscrete of one axis"),
        ("Empty", {"observation": spaces.Box(-1, 1, (0,))}, "expected at least one component"),
        ("Scalar", {"observation": spaces.Box(-1, 1, ())}, "expected a Box of at least one axis"),
        (
            "Small",
            {"observation": spaces.Box(0, 255, (7, 7, 3), np.uint8)},
            r"images of shape \(7, 7, 3\) are too small",
        ),
    ],
)
def test_a_faulty_environment_is_named_with_its_fault_and_the_command_that_checks_it(
    make_config: MakeConfig, name: str, options: dict[str, Any], fault: str
) -> None:
    env_id = odd.register(name, **options)
    config = make_config(environment={"id": env_id, **UNSEEN}, training=SHORT)
    config = config.model_copy(update={"modules": ["tests.support.odd_environments"]})
    with pytest.raises(InputError) as raised:
        RLTrainer(config).train()
    message = str(raised.value)
    assert re.match(rf"environment\.id: {env_id}: .*{fault}", message), message
    assert message.endswith(f"rl-pipeline check {env_id} 'modules=[tests.support.odd_environments]' checks all of it")
    assert "\n" not in message


def test_an_error_of_the_environment_itself_stays_what_it_is(make_config: MakeConfig) -> None:
    env_id = odd.register("Broken", error=ValueError("no such joint"))
    with pytest.raises(ValueError, match="no such joint"):
        RLTrainer(make_config(environment={"id": env_id, **UNSEEN}, training=SHORT)).train()
