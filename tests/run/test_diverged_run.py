"""A policy whose weights have become NaN ends the run; the run goes on from the last sound checkpoint."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from stable_baselines3.common.callbacks import BaseCallback

from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.resume_point import ResumePoint
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.run.rl_trainer import RLTrainer

MakeConfig = Callable[..., Config]


class Poison(BaseCallback):
    """Puts a NaN into the critic after so many steps, as a learning rate that is far too high would."""

    def _on_step(self) -> bool:
        if self.num_timesteps == 150:
            with torch.no_grad():
                self.model.policy.value_net.bias[0] = float("nan")  # type: ignore[index]
        return True


def test_nan_is_never_saved_and_the_run_goes_on_from_sound_weights(
    make_config: MakeConfig, caplog: pytest.LogCaptureFixture
) -> None:
    config = make_config(environment={"video_wrapper": False, "render_mode": None}, evaluation={"num_episodes": 1})
    caplog.set_level("INFO")
    with pytest.raises(
        InputError, match=r"model.zip is not saved: the policy's .* has NaN or infinity, it has diverged"
    ):
        RLTrainer(config, callbacks=[Poison()]).train()
    folder = ExperimentFolder.find("test", config.experiment.directory)
    assert not folder.model.exists()
    assert [path.name for path in folder.checkpoints.iterdir()] == ["model_128_steps.zip"]
    assert "model.zip was not saved; the last checkpoint is" in caplog.text
    assert f"go on with: rl-pipeline resume {folder.path}" in caplog.text
    point = ResumePoint.of(folder)
    assert point.timesteps == 128
    assert RLTrainer(config, resume=point).train().timesteps == 256
    assert folder.model.is_file()
