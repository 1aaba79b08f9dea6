from __future__ import annotations

import pytest

from rl_pipeline.envs.registration import check_environment_id
from rl_pipeline.errors import InputError


@pytest.mark.parametrize(
    ("env_id", "package", "module"),
    [
        ("MiniGrid-DoorKey-5x5-v0", "minigrid", "minigrid"),
        ("FetchReach-v4", "gymnasium-robotics", "gymnasium_robotics"),
        ("highway-fast-v0", "highway-env", "highway_env"),
        ("dm_control/cartpole-balance-v0", "'shimmy[dm-control]'", "shimmy"),
        ("HalfCheetahBulletEnv-v0", "pybullet_envs_gymnasium", "pybullet_envs_gymnasium"),
    ],
)
def test_an_environment_of_a_known_package_is_refused_with_the_way_to_it(
    env_id: str, package: str, module: str
) -> None:
    with pytest.raises(InputError) as refused:
        check_environment_id(env_id)
    distribution = package.strip("'")
    assert str(refused.value) == (
        f"environment.id: unknown environment {env_id!r}; the package {distribution} registers it: "
        f"pip install {package}, and set modules=[{module}]"
    )


def test_an_installed_package_is_only_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    with pytest.raises(InputError, match=r"the package minigrid registers it: set modules=\[minigrid\]$"):
        check_environment_id("MiniGrid-DoorKey-5x5-v0")
