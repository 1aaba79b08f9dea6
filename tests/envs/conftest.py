import pytest

from rl_pipeline.simulation.simulation import Simulation


@pytest.fixture
def simulation(settings, tmp_path):
    """Open simulations, of the handmade player unless a build is named, that end with the test."""
    opened = []

    def open_(build_path=None, **unity):
        opened.append(Simulation(settings(build_path, **unity), "navigation", tmp_path / f"logs{len(opened)}"))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()
