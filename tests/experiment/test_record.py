from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from rl_pipeline.errors import InputError
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.record import ExperimentRecord, differing_settings, find_records, read_record

MakeRun = Callable[..., ExperimentRecord]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    def make(name: str, algorithm: str = "ppo", **training: Any) -> ExperimentRecord:
        folder = ExperimentFolder.create(tmp_path, "CartPole-v1", algorithm, name)
        settings = {
            "experiment": {"name": name},
            "environment": {"id": "CartPole-v1"},
            "algorithm": {"name": algorithm},
            "training": {"seed": 0, "total_timesteps": 100, **training},
        }
        folder.config.write_text(yaml.safe_dump(settings))
        folder.metadata.write_text(json.dumps({"status": "done", "timesteps": 100}))
        return read_record(folder)

    return make


def test_names_patterns_and_folders_find_experiments(make_run: MakeRun, tmp_path: Path) -> None:
    runs = {name: make_run(name) for name in ("cart_0", "cart_1", "pole")}
    sac = make_run("cart_0", "sac")

    def found(*patterns: str) -> set[Path]:
        return {record.folder.path for record in find_records(patterns, tmp_path)}

    assert found("pole") == {runs["pole"].folder.path}
    assert found("cart_*") == {runs["cart_0"].folder.path, runs["cart_1"].folder.path, sac.folder.path}
    assert found("sac/*") == {sac.folder.path}
    assert found("CartPole-v1/ppo/pole") == {runs["pole"].folder.path}
    assert found(str(sac.folder.path), "cart_1") == {sac.folder.path, runs["cart_1"].folder.path}
    assert len(found()) == 4


def test_a_pattern_that_names_nothing_is_refused_with_the_nearest_name(make_run: MakeRun, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is none at all yet"):
        find_records(["pole"], tmp_path)
    make_run("pole")
    with pytest.raises(InputError, match="unknown experiment 'pool'; did you mean 'pole'"):
        find_records(["pool"], tmp_path)


def test_runs_of_other_seeds_and_names_are_repetitions_and_no_others(make_run: MakeRun) -> None:
    first, second = make_run("a", seed=0), make_run("b", seed=1)
    longer = make_run("c", seed=2, total_timesteps=200)
    assert first.repeated == second.repeated
    assert first.repeated != longer.repeated
    assert differing_settings([first, longer]) == {
        "experiment.name": ["a", "c"],
        "training.seed": [0, 2],
        "training.total_timesteps": [100, 200],
    }


def test_a_damaged_folder_is_listed_with_what_it_still_says(make_run: MakeRun, tmp_path: Path) -> None:
    record = make_run("hurt")
    record.folder.metadata.write_text('{"status": "do')
    record.folder.evaluation.write_text("[]")
    (again,) = find_records(["hurt"], tmp_path)
    assert (again.status, again.facts, again.evaluation) == ("unknown", {}, None)
    assert again.settings["training.seed"] == 0


def test_removing_the_last_run_removes_the_empty_folders_above_it(make_run: MakeRun, tmp_path: Path) -> None:
    first, second = make_run("a"), make_run("b")
    first.remove()
    assert not first.folder.path.exists()
    assert second.folder.path.exists()
    second.remove()
    assert list(tmp_path.iterdir()) == []
