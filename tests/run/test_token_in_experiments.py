"""The players' secret is in nothing that a run leaves behind."""

import zipfile

import pytest

from rl_pipeline.run.rl_trainer import RLTrainer

TOKEN = "correct-horse-battery"


@pytest.mark.slow
def test_an_experiment_folder_does_not_hold_the_token(make_config):
    config = make_config(simulation={"n_environments": 2, "ros": {"token": TOKEN}})
    command = ["rl-pipeline", "train", f"ros.token={TOKEN}"]
    folder = RLTrainer(config, overrides=command[2:], command=command).train().folder
    kept = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
    for path in folder.path.rglob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            kept |= {path / name: archive.read(name) for name in archive.namelist()}
    assert not [path for path, content in kept.items() if TOKEN.encode() in content]
    assert b"ros.token=***" in kept[folder.overrides]
    assert b"ros.token=***" in kept[folder.metadata]
