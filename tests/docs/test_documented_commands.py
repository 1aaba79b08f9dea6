"""Every command of the README and of docs/ runs as it is printed, but for being cut short."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SHORT = [
    "n_environments=2",
    "ros.tcp_port=0",
    "training.total_timesteps=256",
    "training.eval.num_evals=1",
    "training.eval.num_episodes=1",
    "training.log_points=1",
    "training.use_wandb=false",
    "evaluation.num_episodes=2",
    "environment.video_length=5",
    "environment.horizon=40",
]
SELF = ("bash launch_tests.bash", "source ")
"""What this very run is, and what only changes the shell."""
SERVERS = {
    "tensorboard": "TensorBoard .* at http",
    "python -m rl_pipeline.players.navigation": "cannot connect to",
    "rl-pipeline train --config-name launched_elsewhere": "waiting for players",
}
"""Commands that run until they are ended, and what they say when they are up."""


def documented_commands():
    commands = {}
    for page in PAGES:
        for block in re.findall(r"```bash\n(.*?)```", page.read_text(), re.DOTALL):
            for line in block.splitlines():
                command = line.split("  #")[0].split(" # ")[0].strip()
                if command and not command.startswith(("#", *SELF)):
                    commands.setdefault(command, page.name)
    return [pytest.param(command, id=f"{page}: {command}") for command, page in commands.items()]


def shortened(command):
    words = shlex.split(command)
    if words[:2] in (["rl-pipeline", "train"], ["bash", "launch_node.bash"]) and "--cfg" not in words:
        return [*words, *SHORT]
    if words[:2] == ["python", "train_example.py"]:
        return [*words, *SHORT]
    if words[:2] in (["rl-pipeline", "play"], ["rl-pipeline", "evaluate"]):
        return [*words, "--episodes", "1"]
    if words[:2] == ["rl-pipeline", "benchmark"]:
        return [*words, "--players", "2", "--seconds", "0.2", "--repetitions", "1", "--minutes", "0.05"]
    if words[:2] == ["python", "benchmarks/navigation_scene.py"]:
        return [*words, "--steps", "200"]
    if words[:2] == ["python", "benchmarks/fuzz.py"]:
        return [*words, "--streams", "1000"]
    return words


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A checkout in which the pages' examples have been followed so far: an experiment, a file, a download."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("configs", "config.yml", "train_example.py", "benchmarks", "ros_ws", "pyproject.toml"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    for name in ("launch_node.bash", "install.bash", "constraints.txt", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    shutil.copy(ROOT / "configs" / "base_ppo_config.yaml", folder / "my_experiment.yaml")
    run(["rl-pipeline", "train", "experiment.name=smoke", *SHORT], folder, check=True)
    (folder / "downloads").mkdir()
    shutil.copy(folder / "experiments/Navigation-v0/ppo/smoke/best_model.zip", folder / "downloads" / "best_model.zip")
    return folder


def environment():
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "200"}


def run(words, folder, check=False):
    return subprocess.run(
        words, cwd=folder, env=environment(), capture_output=True, text=True, timeout=110, check=check
    )


@pytest.mark.slow
@pytest.mark.parametrize("command", documented_commands())
def test_documented_command_runs(command, workplace):
    for start, sign in SERVERS.items():
        if command.startswith(start):
            assert_comes_up(shlex.split(command), workplace, sign)
            return
    if command.startswith("bash launch_node.bash"):
        words = [sys.executable, "-m", "rl_pipeline.run.node", *SHORT]  # what it runs once everything is installed
    else:
        words = shortened(command)
    done = run(words, workplace)
    if "--show" in words and done.returncode == 2:
        assert "display" in done.stderr
        return
    if "--guided" in words and done.returncode == 2:
        assert "bash install.bash fuzz" in done.stderr
        return
    assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}\n{done.stderr}"


def assert_comes_up(words, folder, sign):
    with subprocess.Popen(
        words, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert any(re.search(sign, line) for line in process.stdout), f"{words} ended without saying {sign!r}"
        finally:
            process.terminate()
            process.wait(20)


def test_every_page_is_reached_from_the_readme():
    readme = (ROOT / "README.md").read_text()
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"docs/{page.name}" not in readme] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target
