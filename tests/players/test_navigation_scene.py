import hashlib
import math
import subprocess
import sys

import mujoco
import numpy as np
import pytest

from rl_pipeline.interfaces import Batch, load_interfaces
from rl_pipeline.players import tracked_vehicle as vehicle
from rl_pipeline.players.navigation.arena import HALF_SIDE, TARGET_RADIUS
from rl_pipeline.players.navigation.scene import DWELL_TIME, NavigationScene

OUT_OF_THE_WAY = 50.0


@pytest.fixture
def scene() -> NavigationScene:
    return NavigationScene(seed=1)


def clear(scene: NavigationScene, x: float = 0.0, y: float = 0.0, yaw: float = 0.0) -> None:
    """Take obstacles and beacon away, and put the vehicle somewhere, at rest."""
    scene.data.mocap_pos[:, 0] = OUT_OF_THE_WAY
    place(scene, x, y, yaw)


def place(scene: NavigationScene, x: float, y: float, yaw: float) -> None:
    scene.data.qpos[:] = (x, y, yaw)
    scene.data.qvel[:] = 0.0
    mujoco.mj_forward(scene.model, scene.data)


def new_response(scene: NavigationScene) -> Batch:
    return load_interfaces().service(scene.step_service).response.layout(scene.lengths).empty(1)


def trajectory_digest(seed: int, steps: int = 120) -> str:
    """A digest of all states, bit for bit, of random driving through three episodes."""
    scene = NavigationScene(seed=0)
    response = new_response(scene)
    write_state = scene.state_writer(response)
    rng = np.random.default_rng(seed)
    digest = hashlib.sha256()
    for step in range(steps):
        if step % 40 == 0:
            scene.reset(seed + step)
        scene.drive(*rng.uniform(-2.5, 2.5, size=2))
        scene.advance(scene.substeps)
        write_state()
        digest.update(response["state"].array.tobytes())
    return digest.hexdigest()


def test_same_seed_and_actions_give_the_same_states_bit_for_bit_in_another_process() -> None:
    program = (
        "import importlib.util, sys;"
        f"spec = importlib.util.spec_from_file_location('scene_test', {__file__!r});"
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module);"
        "sys.stdout.write(module.trajectory_digest(3))"
    )
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert other.stdout == trajectory_digest(3)


def test_a_reset_leaves_nothing_of_the_episode_before(scene: NavigationScene) -> None:
    def states() -> bytes:
        scene.reset(9)
        scene.drive(1.5, 0.7)
        scene.advance(100)
        return np.concatenate([scene.data.qpos, scene.data.qvel]).tobytes()

    first = states()
    scene.reset(4)
    scene.drive(-1.0, -2.0)
    scene.advance(333)
    assert states() == first


def test_the_vehicle_takes_the_target_twist(scene: NavigationScene) -> None:
    clear(scene)
    response = new_response(scene)
    write_state = scene.state_writer(response)
    scene.drive(0.8, 0.9)
    scene.advance(50)
    write_state()
    assert response["state.twist.linear.x"][0] == pytest.approx(0.8, abs=0.02)
    assert response["state.twist.angular.z"][0] == pytest.approx(0.9, abs=0.02)
    assert response["state.twist.linear.y"][0] == pytest.approx(0.0, abs=0.03)


def test_tracks_do_not_slip_sideways_in_the_tightest_turn(scene: NavigationScene) -> None:
    clear(scene)
    scene.drive(vehicle.MAX_SPEED, vehicle.MAX_TURN_RATE)
    for _ in range(100):
        scene.advance(1)
        yaw = scene.data.qpos[2]
        sideways = math.cos(yaw) * scene.data.qvel[1] - math.sin(yaw) * scene.data.qvel[0]
        # Within a substep the heading turns by up to 0.04 rad while the velocity stays.
        assert abs(sideways) < 1.1 * vehicle.MAX_SPEED * vehicle.MAX_TURN_RATE * scene.timestep


@pytest.mark.parametrize(
    ("asked", "held"),
    [
        ((9.0, -9.0), (vehicle.MAX_SPEED, -vehicle.MAX_TURN_RATE)),
        ((math.nan, math.nan), (0.0, 0.0)),
        ((-math.inf, math.inf), (-vehicle.MAX_SPEED, vehicle.MAX_TURN_RATE)),
    ],
)
def test_targets_out_of_range_are_clipped(
    scene: NavigationScene, asked: tuple[float, float], held: tuple[float, float]
) -> None:
    request = load_interfaces().service(scene.step_service).request.layout().empty(1)
    request["action.linear.x"], request["action.angular.z"] = asked
    scene.act(request)
    assert (scene.data.ctrl[0], scene.data.ctrl[2]) == held


@pytest.mark.parametrize(
    ("sample_time", "substeps"), [(0.0, 5), (0.1, 5), (0.02, 1), (0.05, 3), (0.03, 2), (0.001, 1), (0.25, 13)]
)
def test_a_control_period_is_a_whole_number_of_short_substeps(sample_time: float, substeps: int) -> None:
    scene = NavigationScene(sample_time)
    assert scene.substeps == substeps
    assert scene.timestep <= 0.02 + 1e-12
    scene.advance(scene.substeps)
    assert scene.data.time == pytest.approx(sample_time or 0.1, rel=1e-12)


def test_simulated_time_runs_on_over_resets(scene: NavigationScene) -> None:
    scene.advance(10)
    scene.reset(2)
    scene.advance(5)
    assert scene.simulated_time == pytest.approx(0.3)


def test_a_crash_at_full_speed_costs_about_a_fifth_and_leaning_little(scene: NavigationScene) -> None:
    clear(scene, x=HALF_SIDE - 2.5)
    scene.drive(vehicle.MAX_SPEED, 0.0)
    scene.advance(90)
    assert scene.data.qpos[0] + vehicle.HALF_LENGTH == pytest.approx(HALF_SIDE, abs=0.02)
    after_crash = scene.health
    assert after_crash == pytest.approx(0.8, abs=0.08)
    scene.advance(50)
    assert 0.0 < after_crash - scene.health < 0.1


def test_driving_freely_costs_no_health(scene: NavigationScene) -> None:
    clear(scene, x=-4.0)
    scene.drive(1.5, 0.0)
    scene.advance(200)
    assert scene.health == 1.0


def test_a_destroyed_vehicle_stops(scene: NavigationScene) -> None:
    clear(scene, x=HALF_SIDE - 1.5)
    scene.health = 0.01
    scene.drive(vehicle.MAX_SPEED, 0.0)
    scene.advance(60)
    assert scene.health == 0.0
    scene.drive(-vehicle.MAX_SPEED, 0.0)
    scene.advance(60)
    assert abs(scene.data.qvel[0]) < 0.01


def test_the_goal_timer_counts_in_the_zone_and_starts_anew_after_leaving(scene: NavigationScene) -> None:
    response = new_response(scene)
    write_state = scene.state_writer(response)
    clear(scene, *scene.layout.goal)
    scene.advance(scene.substeps * 10)
    write_state()
    elapsed, required = response["state.goal_timer.elapsed"][0], response["state.goal_timer.required"][0]
    assert elapsed >= required == DWELL_TIME
    place(scene, scene.layout.goal[0] + TARGET_RADIUS + 0.1, scene.layout.goal[1], 0.0)
    scene.advance(1)
    assert scene.time_in_goal == 0.0
    place(scene, scene.layout.goal[0], scene.layout.goal[1], 0.0)
    scene.advance(3)
    assert scene.time_in_goal == pytest.approx(0.06)


def test_a_state_says_where_vehicle_and_goal_are(scene: NavigationScene) -> None:
    response = new_response(scene)
    scene.state_writer(response)()
    x, y, yaw = scene.layout.start
    state = response.state
    assert (state.pose.position.x[0], state.pose.position.y[0]) == (x, y)
    assert 2 * math.atan2(state.pose.orientation.z[0], state.pose.orientation.w[0]) == pytest.approx(yaw)
    assert (state.target.position.x[0], state.target.position.y[0]) == tuple(scene.layout.goal)
    assert state.health[0] == 1.0
    assert state.lidar.ranges.shape == (1, 30)
