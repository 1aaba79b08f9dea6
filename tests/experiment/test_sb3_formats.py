from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.loggers.sb3_formats import training_logger

SizeLimit = Callable[[int], AbstractContextManager[None]]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # of TensorBoard's writer
def test_figures_that_the_disk_does_not_take_cost_a_warning_each_file(
    tmp_path: Path, files_no_larger_than: SizeLimit, caplog: pytest.LogCaptureFixture
) -> None:
    folder = ExperimentFolder.create(tmp_path, "A-v0", "ppo", "run")
    logger = training_logger(folder, verbose=0)
    with files_no_larger_than(2000):
        for step in range(300):
            logger.record("train/loss", 0.1 * step)
            logger.dump(step)
        logger.close()
    assert sorted(record.message for record in caplog.records) == [
        f"cannot write {path}: File too large; the training goes on without it"
        for path in (folder.progress, folder.tensorboard)
    ]
