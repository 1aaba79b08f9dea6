"""The module of docs/add_an_algorithm.md is trained from its YAML, without a change of the package."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from gymnasium import spaces

from rl_pipeline.algorithms import find_algorithm, registration
from rl_pipeline.algorithms.build import check
from rl_pipeline.config import load_config
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.policy import load_policy
from rl_pipeline.models.feature_extractors import registration as extractors
from rl_pipeline.run.rl_trainer import RLTrainer

PAGE = Path(__file__).parents[2] / "docs" / "add_an_algorithm.md"
FILES = re.compile(r"```\w+\n# (\w+\.\w+)\n(.*?)```", re.DOTALL)
SHORT = (
    "environment.id=CartPole-v1",
    "environment.horizon=20",
    "environment.render_mode=null",
    "environment.video_wrapper=false",
    "n_environments=2",
    "training.total_timesteps=96",
    "training.eval.num_evals=0",
    "training.device=cpu",
    "evaluation.num_episodes=1",
    "algorithm.parameters.n_steps=16",
    "algorithm.parameters.batch_size=16",
    "algorithm.parameters.n_epochs=1",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with the files of the page, and registries of the test's own."""
    for registry in (registration.ALGORITHMS, extractors.EXTRACTORS):
        for table in ("_entries", "_names"):
            monkeypatch.setattr(registry, table, dict(getattr(registry, table)))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    files = FILES.findall(PAGE.read_text(encoding="utf-8"))
    assert [name for name, _ in files] == ["my_algorithms.py", "annealed.yaml"]
    for name, text in files:
        (tmp_path / name).write_text(text, encoding="utf-8")
    yield tmp_path
    sys.modules.pop("my_algorithms", None)


def test_it_trains_with_its_own_parameters_and_network(folder: Path) -> None:
    config = load_config(config_file=folder / "annealed.yaml", overrides=SHORT)
    RLTrainer(config).train()
    run = folder / "experiments/CartPole-v1/annealed_ppo/annealed"
    with (run / "progress.csv").open() as table:
        coefficients = [float(row["train/ent_coef"]) for row in csv.DictReader(table) if row.get("train/ent_coef")]
    # 96 steps are three rollouts of 2 x 16. Scalars are logged before an update: the last row is of the second one.
    assert coefficients[-1] == pytest.approx(0.02 + 2 / 3 * (0.001 - 0.02))
    assert coefficients == sorted(coefficients, reverse=True)
    model = load_policy(run / "model.zip").model
    assert model.policy.features_extractor.network[2].out_features == 32


def test_it_is_found_in_any_spelling_once_its_module_is_imported(folder: Path) -> None:
    load_config(config_file=folder / "annealed.yaml", overrides=SHORT)
    assert find_algorithm("Annealed-PPO") is find_algorithm("APPO")
    assert find_algorithm("annealed_ppo").load().__name__ == "AnnealedPPO"


def test_a_misspelt_parameter_is_named_with_the_nearest(folder: Path) -> None:
    overrides = (*SHORT, "algorithm.parameters.final_ent_coeff=0.1")
    with pytest.raises(InputError, match=r"algorithm\.parameters\.final_ent_coeff: .*did you mean 'final_ent_coef'"):
        check(load_config(config_file=folder / "annealed.yaml", overrides=overrides))


def test_the_extractor_computes_features_of_the_size_asked_for(folder: Path) -> None:
    load_config(config_file=folder / "annealed.yaml", overrides=SHORT)
    extractor = extractors.find_feature_extractor("TwoLayers")(spaces.Box(-1.0, 1.0, (8,)), features_dim=16)
    assert extractor(torch.zeros(3, 8)).shape == (3, 16)
