"""Hyperparameters of rl_games' files, and the length of their runs."""

from __future__ import annotations

from typing import Any

import pytest

from rl_pipeline.errors import InputError
from rl_pipeline.rl_games.translation import translate
from rl_pipeline.rl_games.translation.ppo_sac import MAX_FRAMES
from tests.rl_games.conftest import changed
from tests.rl_games.test_translate import SAC, config_of


def test_without_a_number_of_actors_there_is_one() -> None:
    assert config_of(changed(config__num_actors=None)).simulation.n_environments == 1


def test_a_score_alone_ends_a_run_whose_learning_rate_then_stays() -> None:
    params = changed(config__max_epochs=None, config__score_to_win=400, config__lr_schedule="linear")
    translation = translate(params, "file.yaml", "ppo")
    assert translation.run.score_to_win == 400
    assert translation.config.training.total_timesteps == MAX_FRAMES
    assert translation.config.algorithm.parameters["learning_rate"] == 1e-3
    assert any("score_to_win ends the run" in line for line in translation.left_out)


def test_sac_updates_as_often_as_the_file_says() -> None:
    for keys, updates in (({"config__num_updates_per_step": 8}, 8), ({"config__utd_ratio": 1.0}, 2), ({}, 1)):
        parameters = config_of(changed(SAC, **keys), "sac").algorithm.parameters
        assert parameters["gradient_steps"] == updates
    parameters = config_of(changed(SAC, config__num_warmup_frames=500), "sac").algorithm.parameters
    assert parameters["learning_starts"] == 500


def test_a_hyperparameter_out_of_range_is_named_as_in_the_file() -> None:
    with pytest.raises(InputError, match=r"^file.yaml: params.config.tau: expected .* found 1.5"):
        config_of(changed(config__tau=1.5))
    with pytest.raises(InputError, match=r"^file.yaml: params.config.critic_tau: expected .* found 2"):
        config_of(changed(SAC, config__critic_tau=2.0), "sac")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"config__num_actors": 8192}, "params.config.num_actors: expected .* found 8192"),
        ({"seed": -1}, "params.seed: expected .* found -1"),
        ({"config__device": "tpu"}, "params.config.device: expected .* found 'tpu'"),
        ({"config__full_experiment_name": "a/b"}, "params.config.full_experiment_name: expected a folder name"),
    ],
)
def test_a_setting_out_of_range_is_named_as_in_the_file(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        config_of(changed(**changes))
