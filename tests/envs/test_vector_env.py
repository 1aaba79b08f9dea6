import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from rl_pipeline.envs.player_batch import BatchSettings
from rl_pipeline.envs.registration import make_task
from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.errors import InputError
from rl_pipeline.tasks.navigation import NavigationTask


def test_observations_are_batched_in_the_order_of_the_environments(simulation):
    env = PlayerVectorEnv(NavigationTask(), simulation(), 3)
    observation, _ = env.reset(seed=5)
    assert observation.shape == env.observation_space.shape == (3, 38)
    alone = [PlayerVectorEnv(NavigationTask(), simulation(), 1).reset(seed=5 + index)[0][0] for index in range(3)]
    np.testing.assert_array_equal(observation, alone)


def test_same_seed_and_actions_give_the_same_episode(simulation):
    env = PlayerVectorEnv(NavigationTask(max_episode_steps=20), simulation(), 2)
    actions = np.random.default_rng(0).uniform(-1, 1, (50, 2, 2)).astype(np.float32)

    def episode():
        first, _ = env.reset(seed=3)
        return [first] + [env.step(action)[0] for action in actions]

    np.testing.assert_array_equal(episode(), episode())


def test_what_a_task_keeps_of_states_is_what_it_computes_anew(simulation):
    task = NavigationTask(max_episode_steps=7)
    env = PlayerVectorEnv(task, simulation(), 2)
    observer = RecordedStates(task)
    observer.batch = env.observe(observer)
    env.reset(seed=3)
    for action in np.random.default_rng(0).uniform(-1, 1, (20, 2, 2)).astype(np.float32):
        env.step(action)
    assert observer.steps == 20


class RecordedStates:
    """Compares what each step returns with what the task makes of copies, of which it keeps nothing."""

    def __init__(self, task):
        self.task, self.steps = task, 0

    def begun(self, environments, observation):
        self.previous = self.batch.state.copy()
        np.testing.assert_array_equal(observation, self.task.observation(self.previous))

    def stepped(self, actions, transition):
        state = self.batch.state.copy()
        np.testing.assert_array_equal(transition.observation, self.task.observation(state))
        np.testing.assert_array_equal(transition.reward, self.task.reward(self.previous, actions, state))
        np.testing.assert_array_equal(transition.terminated, self.task.terminated(state))
        self.previous, self.steps = state, self.steps + 1


@pytest.mark.parametrize("num_envs", [1, 2, 3, 6])
def test_environments_play_consecutive_seeds_whatever_their_number(simulation, num_envs):
    env = PlayerVectorEnv(NavigationTask(max_episode_steps=2), simulation(), num_envs)
    firsts = [*env.reset(seed=11)[0]]
    while len(firsts) < 6:
        observation, _, _, truncated, _ = env.step(np.zeros((num_envs, 2), np.float32))
        firsts += [*observation[truncated]]
    reference = PlayerVectorEnv(NavigationTask(), simulation(), 6).reset(seed=11)[0]
    np.testing.assert_array_equal(firsts[:6], reference)


def test_episode_that_ends_is_followed_by_the_next_in_the_same_step(simulation):
    env = PlayerVectorEnv(NavigationTask(max_episode_steps=3), simulation(), 2)
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    env.reset(seed=0)
    forward = np.ones((2, 2), np.float32)
    for _ in range(2):
        *_, truncated, info = env.step(forward)
        assert not truncated.any()
        assert "final_obs" not in info
    observation, _, terminated, truncated, info = env.step(forward)
    assert truncated.all()
    assert not terminated.any()
    assert info["_final_obs"].all()
    assert (info["final_obs"][:, 3:5] != observation[:, 3:5]).any() or (info["final_obs"] != observation).any()
    assert info["final_info"]["is_success"].tolist() == [False, False]


def test_horizon_replaces_the_tasks_own(simulation):
    env = PlayerVectorEnv(NavigationTask(), simulation(), 1, BatchSettings(horizon=2))
    env.reset(seed=0)
    ends = [bool(env.step(np.zeros((1, 2), np.float32))[3][0]) for _ in range(4)]
    assert ends == [False, True, False, True]


def test_player_of_another_scene_is_named(simulation, build):
    script = 'sed s/interfaces_pkg.Navigation/interfaces_pkg\\\\/Duel/ {handmade} > "$0.py"; exec {python} "$0.py" "$@"'
    with pytest.raises(
        InputError, match=r"offers it as interfaces_pkg/DuelReset, and the task expects .*NavigationReset"
    ):
        PlayerVectorEnv(NavigationTask(), simulation(build(script)), 1)


def test_gymnasium_knows_the_task_by_its_id(settings):
    env = gymnasium.make("rl_pipeline/Navigation-v0", simulation=settings().model_dump())
    try:
        observation, _ = env.reset(seed=0)
        assert env.observation_space.contains(observation)
        assert env.unwrapped.task.scene == "navigation"
    finally:
        env.close()


def test_task_that_does_not_fit_what_players_send_is_one_clear_error(simulation):
    env = PlayerVectorEnv(NavigationTask(num_rays=7), simulation(), 1)
    with pytest.raises(InputError, match=r"NavigationTask makes observations of shape \(38,\) .* declares \(15,\)"):
        env.reset(seed=0)


def test_unknown_option_of_a_task_is_named_with_the_nearest():
    with pytest.raises(
        InputError, match="unknown option of rl_pipeline/Navigation-v0 'num_ray'; did you mean 'num_rays'"
    ):
        make_task("Navigation-v0", num_ray=3)
