"""Canned players: their sizes on the wire, and a step of the task on them."""

from rl_pipeline.benchmarks.canned import canned_simulation, rate_of, request_size, run_for, step_batched


def test_sizes_on_the_wire_grow_with_the_image(tmp_path):
    _, plain = canned_simulation(tmp_path)
    _, with_image = canned_simulation(tmp_path, image=bytes(3000))
    assert 0 < request_size() < plain
    assert with_image - plain in range(3000, 3009), "the image, and padding to its alignment"


def test_players_are_stepped_without_an_end_of_their_episodes(tmp_path):
    from contextlib import ExitStack

    config, _ = canned_simulation(tmp_path)
    with ExitStack() as stack:
        step = step_batched(stack, config, tmp_path / "logs", 2)
        for _ in range(3):
            _, _, terminations, truncations, _ = step()
            assert not terminations.any()
            assert not truncations.any()


def test_rates_count_all_players():
    rounds, elapsed = run_for(lambda: None, 0.01)
    assert rounds > 0
    assert elapsed >= 0.01
    calls = []
    assert rate_of(lambda: calls.append(None), 3, 0.01) > 3 * 8 / 0.02
