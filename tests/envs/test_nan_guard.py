"""NaN and infinity in what players send and policies do: they end an episode, and reach nobody."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rl_pipeline.envs.nan_guard import ActionError, invalid_rows, is_finite
from rl_pipeline.envs.player_batch import BatchSettings
from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.simulation.simulation import PlayerError, Simulation
from rl_pipeline.tasks.navigation import NavigationTask

ACTIONS = np.ones((3, 2), np.float32)


class FragileNavigation(NavigationTask):
    """Navigation with lidar ranges and reward that pass on what is wrong with the state."""

    def observation(self, state):
        return np.concatenate([super().observation(state)[:, :8], state.lidar.ranges], axis=1, dtype=np.float32)


@pytest.fixture
def breaking(settings, build, tmp_path):
    """Open environments in which player 1 sends `value` for its x as soon as Python's `condition` holds."""
    opened = []

    def open_(condition, value="math.nan", players=3, task=None, build_path=None, **unity):
        bad_x = f'{value} if arguments.environment_id == "1" and ({condition}) else x'
        script = f"""sed 's/pack("<7d", x,/pack("<7d", {bad_x},/' {{handmade}} > "$0.$$.py"
exec {{python}} "$0.$$.py" "$@" """
        config = settings(build(script), **unity)
        opened.append(Simulation(config, "navigation", tmp_path / "logs"))
        return PlayerVectorEnv(
            task or NavigationTask(),
            opened[-1],
            players,
            BatchSettings(invalid_states=tmp_path / "experiment" / "invalid_states"),
        )

    yield open_
    for simulation in opened:
        simulation.close()


@pytest.mark.parametrize("value", ["math.nan", "math.inf", "-math.inf"])
def test_invalid_state_ends_its_episode_and_never_reaches_the_policy(breaking, caplog, tmp_path, value):
    env = breaking("x != 0 and 0.35 < clock < 0.45", value)
    env.reset(seed=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, of the task's own arithmetic
        good = [env.step(ACTIONS)[0] for _ in range(3)][-1]
        observation, reward, terminated, truncated, info = env.step(ACTIONS)
    assert truncated.tolist() == [False, True, False]
    assert not terminated.any()
    assert reward[1] == 0.0
    assert np.isfinite(reward).all()
    assert np.isfinite(observation).all()
    assert info["final_info"]["invalid_state"].tolist() == [False, True, False]
    assert "player_lost" not in info["final_info"]
    np.testing.assert_array_equal(info["final_obs"][1], good[1])
    (warning,) = [record.message for record in caplog.records if "infinity" in record.message]
    assert (
        "environment 1 (player 1), step 4 of the episode with seed 6: NaN or infinity in state.pose.position.x"
        in warning
    )
    assert str(tmp_path / "experiment" / "invalid_states" / "player_1_seed_6_step_4.npz") in warning
    assert not env.step(ACTIONS)[3].any()


def test_last_states_and_actions_are_written_down(breaking, tmp_path):
    env = breaking("x != 0 and 1.35 < clock < 1.45")
    env.reset(seed=5)
    speeds = np.linspace(0.0, 0.5, 14, dtype=np.float32)
    for speed in speeds:
        env.step(np.full((3, 2), speed, np.float32))
    (path,) = (tmp_path / "experiment" / "invalid_states").iterdir()
    with np.load(path) as dump:
        x = dump["state.pose.position.x"]
        assert np.isnan(x).tolist() == [False] * 9 + [True]
        assert (np.diff(np.abs(x[:9])) > 0).all()
        np.testing.assert_array_equal(dump["actions"][:, 0], speeds[-9:])
        assert dump["state.lidar.ranges"].shape == (10, 30)


def test_states_of_an_earlier_episode_are_not_written_down(breaking, tmp_path):
    env = breaking("x != 0 and 0.65 < clock < 0.75", task=NavigationTask(max_episode_steps=5))
    env.reset(seed=5)
    for _ in range(7):
        env.step(ACTIONS)
    (path,) = (tmp_path / "experiment" / "invalid_states").iterdir()
    with np.load(path) as dump:
        assert dump["actions"].shape == (2, 2)
        assert np.isnan(dump["state.pose.position.x"]).tolist() == [False, False, True]


def test_player_that_begins_with_an_invalid_state_is_replaced(breaking, tmp_path):
    marker = tmp_path / "broken_once"
    condition = f'not __import__("os").path.exists("{marker}") and not open("{marker}", "w").close()'
    env = breaking(condition.replace("/", "\\/"))
    observation, _ = env.reset(seed=0)
    assert marker.exists()
    assert np.isfinite(observation).all()


def test_environment_that_is_always_invalid_is_given_up(breaking):
    env = breaking("x != 0 and clock > 0.05")
    env.reset(seed=0)
    for _ in range(9):
        env.step(ACTIONS)
    with pytest.raises(
        PlayerError, match=r"environment 1 \(player 1\).*state\.pose\.position\.x.*that was 10 times in a row"
    ):
        env.step(ACTIONS)


def test_infinite_range_of_a_lidar_is_no_fault_where_the_task_can_read_it(settings, build, tmp_path):
    script = """sed 's/30, \\*\\[6.0\\]/30, *[math.inf]/' {handmade} > "$0.$$.py"; exec {python} "$0.$$.py" "$@" """
    with Simulation(settings(build(script)), "navigation", tmp_path) as simulation:
        env = PlayerVectorEnv(NavigationTask(), simulation, 1)
        env.reset(seed=0)
        assert not env.step(ACTIONS[:1])[3].any()


def test_fault_of_the_task_is_told_from_one_of_the_player(settings, tmp_path, caplog):
    class DividingNavigation(NavigationTask):
        def reward(self, previous, actions, state):
            return np.full(len(state), np.nan)

    with Simulation(settings(), "navigation", tmp_path) as simulation:
        env = PlayerVectorEnv(DividingNavigation(), simulation, 1)
        env.reset(seed=0)
        assert env.step(ACTIONS[:1])[1].tolist() == [0.0]
    assert "which the task makes of a finite state" in caplog.text


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_action_that_is_no_number_is_not_sent(breaking, value):
    env = breaking("False")
    env.reset(seed=0)
    actions = ACTIONS.copy()
    actions[2, 1] = value
    with pytest.raises(ActionError, match=r"actions for environments \[2\] are no finite numbers.* has diverged"):
        env.step(actions)
    assert not env.step(ACTIONS)[3].any()


FLOATS = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=1, max_dims=3, max_side=6))
)


@given(FLOATS)
def test_check_never_passes_what_is_not_finite_and_names_exactly_those_rows(values):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        certain = is_finite(values)
    expected = [row for row in range(len(values)) if not np.isfinite(values[row]).all()]
    assert not (certain and expected)
    rows = invalid_rows(values)
    assert ([] if rows is None else rows.tolist()) == expected
