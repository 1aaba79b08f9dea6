from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.loggers.registration import make_loggers
from rl_pipeline.experiment.loggers.run_logger import RunLoggers
from rl_pipeline.experiment.loggers.wandb_files import download_model


def folder_in(directory: Path) -> ExperimentFolder:
    return ExperimentFolder.create(directory, "CartPole-v1", "ppo", "test")


def start(config: Config, folder: ExperimentFolder, run_id: str | None = None) -> RunLoggers:
    loggers = make_loggers(config)
    loggers.start(folder, config, {} if run_id is None else {"wandb": {"run_id": run_id}})
    return loggers


@pytest.mark.slow
def test_a_run_is_logged_offline_without_an_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    folder = folder_in(tmp_path)
    run = start(Config.model_validate({"training": {"use_wandb": True}}), folder)
    folder.model.write_bytes(b"model")
    run.log_file(folder.model)
    run.log_summary({"evaluation/mean_return": 1.0})
    assert run.names == ["wandb"]
    run.finish()
    files = {path.name for path in folder.path.glob("wandb/offline-run-*/files/*")}
    assert "model.zip" in files
    assert list(folder.path.glob("wandb/offline-run-*/run-*.wandb"))


@pytest.mark.slow
def test_the_command_that_is_printed_sends_every_part_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    folder = folder_in(tmp_path / "it's exp w")
    with caplog.at_level(logging.INFO):
        start(Config.model_validate({"training": {"use_wandb": True}}), folder, "same_id").finish()
    [part] = (folder.path / "wandb").glob("offline-run-*")
    shutil.copytree(part, part.with_name("offline-run-20990101_000000-same_id"))  # as a resumed run leaves it
    [command] = [line.partition("send it with: ")[2] for line in caplog.messages if "send it with" in line]
    synced = subprocess.run(
        f"{command} --dry-run", shell=True, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path
    )
    assert synced.returncode == 0, synced.stderr
    for name in (part.name, "offline-run-20990101_000000-same_id"):
        assert name in synced.stdout + synced.stderr


def test_without_use_wandb_nothing_is_imported_or_written(tmp_path: Path) -> None:
    before = set(sys.modules)
    folder = folder_in(tmp_path)
    run = start(Config(), folder)
    run.log_file(folder.model)
    run.finish()
    assert not run.names
    assert not any(name == "wandb" for name in set(sys.modules) - before)
    assert not (folder.path / "wandb").exists()


def test_a_failing_service_costs_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wandb = pytest.importorskip("wandb")

    def refuse(*arguments: object, **settings: object) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(wandb, "init", refuse)
    monkeypatch.setattr(wandb, "login", lambda **settings: True)
    with caplog.at_level(logging.WARNING):
        run = start(Config.model_validate({"training": {"use_wandb": True}}), folder_in(tmp_path))
    assert not run.names
    assert "Weights & Biases could not start: ConnectionError: no route to host" in caplog.text


def test_a_run_without_a_key_is_logged_offline_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with caplog.at_level(logging.WARNING):
        run = start(Config.model_validate({"training": {"run_type": "wandb"}}), folder_in(tmp_path))
    run.finish()
    assert "has no API key (run `wandb login`): this run is logged offline" in caplog.text
    assert list(tmp_path.glob("CartPole-v1/ppo/test/wandb/offline-run-*"))


def test_a_model_on_wandb_needs_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with pytest.raises(InputError, match=r"--model: wandb:me/project/run cannot be had: .*API key"):
        download_model("wandb:me/project/run", tmp_path, "--model")
