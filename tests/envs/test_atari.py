"""Atari games by their ids alone, with the usual preprocessing."""

from __future__ import annotations

from pathlib import Path

import pytest

from rl_pipeline import cli
from rl_pipeline.envs.gymnasium_envs import atari, providers
from rl_pipeline.envs.registration import check_environment_id
from rl_pipeline.errors import InputError

SHORT = [
    "algorithm=ppo", "algorithm.parameters.n_steps=16", "algorithm.parameters.batch_size=16",
    "algorithm.parameters.n_epochs=1", "training.total_timesteps=64", "training.log_points=1", "training.device=cpu",
    "training.eval.num_evals=0", "evaluation.num_episodes=1", "environment.horizon=40", "environment.video_length=5",
    "n_environments=2", "experiment.name=pong",
]  # fmt: skip


def test_a_game_looks_as_in_the_published_results() -> None:
    assert check_environment_id("ALE/Pong-v5") == "ALE/Pong-v5"
    for env_id in ("ALE/Pong-v5", "PongNoFrameskip-v4"):
        games = atari.make_atari_games(env_id, 2, 0, {}, for_training=True)
        assert games.observation_space.shape == (84, 84, 4)
        assert games.reset().shape == (2, 84, 84, 4)
        games.close()


def test_games_without_their_package_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "ATARI_PACKAGE", "no_such_package")
    with pytest.raises(InputError, match=r"ALE/Pongo-v5 needs ale-py: pip install 'rl-pipeline\[atari\]'"):
        check_environment_id("ALE/Pongo-v5")
    with pytest.raises(InputError, match="unknown environment 'CartPoel-v1'; did you mean 'CartPole-v1'"):
        check_environment_id("CartPoel-v1")


@pytest.mark.slow
def test_a_game_is_trained_evaluated_and_filmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["train", *SHORT, "environment.id=ALE/Pong-v5"]) == 0
    folder = tmp_path / "experiments/Pong-v5/ppo/pong"
    assert (folder / "evaluation.json").is_file()
    assert (folder / "videos/final.mp4").is_file()
