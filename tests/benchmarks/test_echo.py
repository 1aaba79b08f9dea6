"""The echo: every peer answers a round with its bytes, and ends with the block."""

from rl_pipeline.benchmarks.echo import Echo


def test_every_round_receives_all_answers_of_any_size(eventually, is_running):
    with Echo(2, request_size=40, response_size=300_000) as echo:
        processes = [process.pid for process in echo._processes]
        for _ in range(3):
            echo.round()
        assert all(map(is_running, processes))
    eventually(lambda: not any(map(is_running, processes)), 10.0)
