"""Self-play and curricula in real trainings on a real player."""

import csv

import numpy as np
import pytest

from rl_pipeline.config.schema import Config
from rl_pipeline.envs.factory import Environments
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.environments import open_evaluation_environments
from rl_pipeline.run.rl_trainer import RLTrainer


@pytest.fixture(scope="module")
def make_config(tmp_path_factory):
    """A configuration of a run of seconds in the duel, with some keys of some sections changed."""
    directory = tmp_path_factory.mktemp("experiments")

    def make(**changes):
        sections = {
            "experiment": {"name": "test", "directory": directory},
            "environment": {"id": "rl_pipeline/Duel-v0", "horizon": 20, "render_mode": None, "video_wrapper": False},
            "algorithm": {"name": "ppo", "parameters": {"n_steps": 64, "batch_size": 64, "n_epochs": 1}},
            "training": {"total_timesteps": 512, "device": "cpu", "eval": {"num_evals": 1, "num_episodes": 2}},
            "evaluation": {"num_episodes": 2},
            "simulation": {"n_environments": 2, "worlds_per_player": 2, "ros": {"tcp_port": 0}},
        }
        for section, keys in changes.items():
            sections[section] = {**sections[section], **keys}
        return Config.model_validate(sections)

    return make


def logged(folder, key):
    """The figures that a run logged under a key, in order."""
    return [float(row[key]) for row in csv.DictReader(folder.progress.open()) if row.get(key)]


@pytest.fixture(scope="module")
def trained(make_config):
    """A run of self-play in which dispersion and cover vary by lessons."""
    lesson = {"measure": "reward", "threshold": -100.0, "min_lesson_length": 6}
    stages = [{"value": 0.0, "completion_criteria": lesson}, {"value": 0.1}]
    self_play = {"enabled": True, "save_steps": 100, "play_against_latest_model_ratio": 0.2}
    config = make_config(
        environment={
            "id": "rl_pipeline/Duel-v0", "horizon": 20, "render_mode": None, "video_wrapper": False,
            "parameters": {"dispersion": {"curriculum": stages}, "cover_pairs": 1},
        },
        training={
            "total_timesteps": 512, "device": "cpu", "self_play": self_play,
            "eval": {"num_evals": 1, "num_episodes": 2},
        },
    )  # fmt: skip
    return RLTrainer(config).train()


@pytest.mark.slow
def test_self_play_leaves_ratings_in_the_log_and_a_picture_of_them(trained):
    assert logged(trained.folder, "self_play/elo")[0] == 1200.0
    assert all(0.0 <= rate <= 1.0 for rate in logged(trained.folder, "self_play/win_rate"))
    assert logged(trained.folder, "self_play/win_rate")
    assert trained.folder.elo.stat().st_size > 10_000


@pytest.mark.slow
def test_lessons_move_on_during_a_training_and_are_logged(trained):
    lessons = logged(trained.folder, "curriculum/dispersion")
    assert (lessons[0], lessons[-1]) == (0, 1)


@pytest.mark.slow
def test_a_run_against_the_bot_has_no_ratings(make_config):
    result = RLTrainer(make_config()).train()
    assert not logged(result.folder, "self_play/elo")
    assert not result.folder.elo.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"environment": {"id": "rl_pipeline/Navigation-v0"}},
            "expected a task with an opponent, such as Duel-v0, found NavigationTask",
        ),
        (
            {"environment": {"id": "CartPole-v1"}},
            "expected a task with an opponent, such as Duel-v0, found CartPole-v1",
        ),
        ({"algorithm": {"name": "recurrent_ppo", "parameters": {}}}, "recurrent policies cannot be opponents"),
    ],
)
def test_what_cannot_play_against_itself_is_told_before_anything_runs(make_config, changes, message):
    with pytest.raises(InputError, match=f"training.self_play: .*{message}"):
        RLTrainer(make_config(**{**changes, "training": {"self_play": {"enabled": True}}}))


@pytest.mark.slow
def test_a_trained_model_can_be_the_opponent_in_evaluations(trained, make_config):
    def seen(opponent):
        config = make_config(evaluation={"num_episodes": 2, "opponent": opponent})
        with Environments(config, trained.folder.path) as environments:
            venv = open_evaluation_environments(environments, config, 1, seed=0)
            venv.reset()
            return [venv.step(np.zeros((1, 4), np.float32))[0][0].tolist() for _ in range(5)]

    model = str(trained.folder.path)
    assert seen(model) == seen(model) != seen(None)


def test_an_opponent_that_is_not_there_is_told_before_anything_runs(make_config):
    with pytest.raises(InputError, match=r"evaluation.opponent: 'nobody' is neither a model file nor an experiment"):
        RLTrainer(make_config(evaluation={"opponent": "nobody"}))


def test_parameters_that_a_task_does_not_have_are_told_before_anything_runs(make_config):
    with pytest.raises(InputError, match="unknown parameter of DuelTask 'bot_strenght'; did you mean"):
        RLTrainer(make_config(environment={"id": "rl_pipeline/Duel-v0", "parameters": {"bot_strenght": 1.0}}))


def test_wrappers_that_opponents_cannot_see_through_are_told_before_anything_runs(make_config):
    config = make_config(training={"self_play": {"enabled": True}}).model_copy(update={"wrappers": {"frame_stack": {}}})
    with pytest.raises(InputError, match=r"wrappers.frame_stack: opponents of training.self_play cannot see"):
        RLTrainer(config)
