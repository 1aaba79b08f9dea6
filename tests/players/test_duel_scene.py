import math

import numpy as np
import pytest

from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.players.duel.arena import COVER, HALF_SIDE, lay_out
from rl_pipeline.players.duel.fighter import RELOAD_TIME, SHOT_DAMAGE, Orders
from rl_pipeline.players.duel.scene import DuelParameters, DuelScene
from rl_pipeline.players.worlds import SceneWorlds

FIRE = Orders(fire=True)
STILL = Orders()


@pytest.fixture
def scene():
    return DuelScene()


def face_to_face(scene, distance=4.0, *, cover=False, **parameters):
    """Both aim at each other along x, unless cover stands between them; red waits for orders."""
    scene.reset(1, DuelParameters(cover_pairs=0, **{"dispersion": 0.0, **parameters}), red_acts=True)
    blue, red = scene.fighters
    blue.reset((-distance / 2, 0.0, 0.0), 1.0)
    red.reset((distance / 2, 0.0, math.pi), 1.0)
    if cover:
        scene._place([np.zeros(3), np.array((0.0, 0.1, 0.0))])
    scene._looked = False
    return blue, red


def run(scene, seconds, blue=STILL, red=None):
    scene.fighters[0].obey(blue)
    if red is not None:
        scene.fighters[1].obey(red)
    scene.advance(round(seconds / scene.timestep))


def test_a_shot_costs_the_health_of_what_it_hits_and_guns_take_time_to_load(scene):
    _, red = face_to_face(scene)
    run(scene, scene.timestep, FIRE)
    assert red.health == pytest.approx(1.0 - SHOT_DAMAGE)
    run(scene, 0.9 * RELOAD_TIME, FIRE)
    assert red.health == pytest.approx(1.0 - SHOT_DAMAGE)
    run(scene, 0.2 * RELOAD_TIME, FIRE)
    assert red.health == pytest.approx(1.0 - 2 * SHOT_DAMAGE)


def test_cover_stops_shots_and_sight(scene):
    blue, red = face_to_face(scene, cover=True)
    run(scene, 3.0, FIRE)
    scene._look()
    assert blue.shot is not None
    assert not blue.shot.hit
    assert red.health == 1.0
    assert not scene.in_sight


def test_two_that_fire_at_once_both_hit(scene):
    blue, red = face_to_face(scene)
    run(scene, 4.2 * RELOAD_TIME, FIRE, FIRE)
    assert blue.health == red.health == 0.0


def test_a_destroyed_vehicle_stands_still_and_fires_no_more(scene):
    blue, red = face_to_face(scene)
    run(scene, 4.2 * RELOAD_TIME, FIRE, Orders(speed=0.1))
    assert red.health == 0.0
    before = red.pose()
    run(scene, 1.5, STILL, Orders(speed=1.5, fire=True))
    assert red.pose()[0] == pytest.approx(before[0], abs=0.05)
    assert blue.health == 1.0


@pytest.mark.parametrize("value", [math.nan, 99.0, -99.0])
def test_orders_out_of_range_are_clipped_and_nan_is_none(scene, value):
    blue, _ = face_to_face(scene)
    run(scene, 0.5, Orders(speed=value, turn_rate=value, turret_rate=value))
    speed, _, turn_rate = blue.twist()
    assert abs(speed) <= 1.6
    assert abs(turn_rate) <= 2.1
    assert np.isfinite(scene.data.qpos).all()


def test_the_arena_is_the_same_for_both_sides():
    for seed in range(20):
        layout = lay_out(np.random.default_rng(seed), len(COVER))
        assert np.abs(layout.start[:2]).max() < HALF_SIDE
        clear = np.linalg.norm(layout.cover[:, :2] - layout.start[:2], axis=1)
        assert (clear > [shape.reach + 1.0 for shape in COVER]).all()


def test_mirrored_orders_lead_to_mirrored_states(scene):
    scene.reset(5, DuelParameters(dispersion=0.0, cover_pairs=3), red_acts=True)
    rng = np.random.default_rng(0)
    for _ in range(60):
        orders = Orders(*rng.uniform(-1.5, 1.5, 3), fire=True)
        run(scene, 0.1, orders, orders)
        blue, red = (np.array(fighter.pose()) for fighter in scene.fighters)
        np.testing.assert_allclose(red[:2], -blue[:2], atol=1e-6)
        assert math.remainder(red[2] - blue[2] - math.pi, 2 * math.pi) == pytest.approx(0.0, abs=1e-6)
    assert scene.fighters[0].health == scene.fighters[1].health


def test_the_same_seed_gives_the_same_duel_with_its_bot_and_dispersion(scene):
    def states():
        scene.reset(3, DuelParameters(bot_strength=0.6))
        for step in range(80):
            run(scene, 0.1, Orders(speed=1.0, turn_rate=math.sin(step), fire=True))
        return scene.data.qpos.tobytes(), [fighter.health for fighter in scene.fighters]

    assert states() == states()


def test_requests_say_who_drives_red_and_what_the_arena_is_like(scene):
    reset = load_interfaces().service(DuelScene.reset_service).request.layout().empty(1)
    step = load_interfaces().service(DuelScene.step_service).request.layout().empty(1)
    reset["seed"], reset["red_acts"], reset["parameters.cover_pairs"] = 4, True, 9.0
    reset["parameters.speed_scale"] = np.nan  # the scene's own
    step["red.drive.linear.x"], step["blue.turret_rate"] = 1.0, 2.0
    scene.begin(reset)
    assert scene.bot is None
    assert (np.abs(scene.data.mocap_pos[:, 1]) < HALF_SIDE).all()  # as much cover as there is
    scene.act(step)
    scene.advance(scene.substeps)
    assert scene.fighters[1].twist()[0] > 0.1
    assert scene.fighters[0].pose()[3] == pytest.approx(0.18, abs=0.03)
    reset["red_acts"], reset["parameters.cover_pairs"] = False, 0.0
    scene.begin(reset)
    assert scene.bot is not None
    assert (np.abs(scene.data.mocap_pos[:, 1]) > 2 * HALF_SIDE).all()


def test_worlds_of_one_player_take_their_own_parameters():
    worlds = SceneWorlds([DuelScene(0.1, seed) for seed in range(2)])
    reset = load_interfaces().service("interfaces_pkg/DuelResetBatch").request
    request = reset.layout(dict.fromkeys(("reset", "seed", "red_acts", "parameters"), 2)).empty(1)
    request["reset"], request["seed"], request["red_acts"] = [True, True], [4, 4], [True, False]
    request["parameters.cover_pairs"] = [0.0, 4.0]
    worlds.begin(request)
    first, second = worlds._scenes
    assert (first.bot is None, second.bot is None) == (True, False)
    present = [np.count_nonzero(np.abs(scene.data.mocap_pos[:, 1]) < HALF_SIDE) for scene in (first, second)]
    assert present == [0, 2 * len(COVER)]


def test_a_state_tells_of_both_sides(scene):
    response = load_interfaces().service(DuelScene.step_service).response.layout(scene.lengths).empty(1)
    write = scene.state_writer(response)
    face_to_face(scene, 3.0)
    run(scene, scene.timestep, FIRE)
    write()
    state = response.state
    assert state.in_sight.tolist() == [True]
    assert state.blue.lidar.ranges[0, 0] == pytest.approx(3.0 - 0.35, abs=0.02)
    assert state.blue.lidar.tags[0, 0] == load_interfaces().message("interfaces_pkg/Lidar2D").constants["TAG_VEHICLE"]
    assert state.red.health[0] == pytest.approx(0.8)
    assert state.blue.reload[0] > 0.9
    assert state.red.reload[0] == 0.0


def test_a_frame_shows_shots_and_health(scene):
    face_to_face(scene)
    run(scene, scene.timestep, FIRE)
    picture = scene.picture()
    assert [gauge.fraction for gauge in picture.gauges[:2]] == [1.0, pytest.approx(0.8)]
    assert picture.rays is not None
    assert len(picture.rays.ends) == 1
    run(scene, 0.5)
    assert scene.picture().rays is None
