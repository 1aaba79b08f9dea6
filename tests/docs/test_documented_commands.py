"""Every command of the README and of docs/ runs as printed, on fewer steps."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from stable_baselines3 import PPO

from tests.support import prepared

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
    "environment.horizon=12",
    "environment.render_mode=null",
]
SELF = (
    *("bash launch_tests.bash", "bash ros_ws/build.bash", "source "),
    *("python tools/against_sb3.py", "python tools/kill_and_resume.py"),
    *("make ", "python tools/pins.py", "python -m mkdocs build", "python -m rl_pipeline.config.rendering >"),
)
"""This very run, commands that only change the shell, and commands with a test of their own or with a package index."""
NEEDS_ROS = ("ros2", "--ros-args", "rl-pipeline deploy", "bash launch_ros_tcp_endpoint.bash", "ros-endpoint")
"""Parts of commands that need ROS 2."""
SERVERS = {
    "tensorboard": "TensorBoard .* at http",
    "python -m rl_pipeline.players": "cannot connect to",
    "rl-pipeline endpoint": "listening on",
    "bash launch_ros_tcp_endpoint.bash": "listening on",
    "rl-pipeline train --config-name launched_elsewhere": "waiting for players",
    "rl-pipeline deploy": "on ROS node",
    "rl-pipeline train unity.launch=false n_environments=2": "waiting for players",
    "bash launch_unity_simulation.bash": "players started",
    "rl-pipeline simulate": "players started",
}
"""Commands that run until they are ended, and the message that says that they are up."""


def documented_commands():
    commands = {}
    for page in PAGES:
        for block in re.findall(r"```bash\n(.*?)```", page.read_text(), re.DOTALL):
            for line in block.splitlines():
                command = line.split("  #")[0].split(" # ")[0].strip()
                if command and not command.startswith(("#", *SELF)):
                    commands.setdefault(command, page.name)
    return [pytest.param(command, id=f"{page}: {command}") for command, page in commands.items()]


def installed(command):
    """Return the command that a script runs once everything is installed."""
    if command.startswith("bash launch_ros_tcp_endpoint.bash"):
        return ["rl-pipeline", "endpoint", "--ros2"]
    if command.startswith("bash launch_node.bash"):
        return ["python", "-m", "rl_pipeline.cli.nodes.launch_node", *shortened(command)[2:]]
    return shortened(command)


def shortened(command):
    words = shlex.split(command)
    if "--ros-args" in words:
        split = words.index("--ros-args")
        return [*shortened(shlex.join(words[:split])), *words[split:]]
    if words[:2] == ["rl-pipeline", "sweep"]:
        few = "3" if "--resume" in words else "2"
        words[words.index("--trials") + 1] = few
        return words if "--resume" in words else [*words, *SHORT]
    if words[:2] == ["rl-pipeline", "deploy"]:
        return [*words, "--experiment", "smoke"]
    if words[:2] in (["rl-pipeline", "train"], ["bash", "launch_node.bash"]) and "--cfg" not in words:
        return [*words, *SHORT]
    if words[:2] == ["python", "train_example.py"]:
        return [*words, *SHORT]
    if words[:2] in (["rl-pipeline", "play"], ["rl-pipeline", "evaluate"]):
        return [*words, "--episodes", "1"]
    if words[:2] == ["rl-pipeline", "benchmark"]:
        length = ["--seconds", "0.1", "--repetitions", "1", "--minutes", "0.05", "--timesteps", "64"]
        # The benchmarks left out have tests and commands of their own.
        apart = (
            ("ros-endpoint", "training", "double-buffer", "environments", "startup")
            if words[2].startswith("--")
            else ()
        )
        return [*words, "--players", "2", *length, *(f"--leave-out={name}" for name in apart)]
    if words[:2] == ["python", "tools/scenes.py"]:
        return [*words, "--steps", "200"]
    if words[:2] == ["python", "tools/fuzz.py"]:
        return [*words, "--streams", "1000"]
    return words


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """Return a checkout with the files that earlier examples of the pages leave: an experiment, a file, a download."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("configs", "examples", "config.yml", "train_example.py", "tools", "ros_ws", "pyproject.toml"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    for name in ("docker", "rl_pipeline"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    scripts = ("launch_node.bash", "launch_unity_simulation.bash", "install.bash")
    for name in (*scripts, "constraints.txt", "README.md", "LICENSE", "hatch_build.py"):
        shutil.copy(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    shutil.copy(ROOT / "configs" / "base_ppo_config.yaml", folder / "my_experiment.yaml")
    filmed = "environment.render_mode=rgb_array"
    run(["rl-pipeline", "train", "experiment.name=smoke", *SHORT, filmed], folder).check_returncode()
    for copy in ("smoke_again", "scrap"):
        shutil.copytree(
            folder / "experiments/Navigation-v0/ppo/smoke", folder / f"experiments/Navigation-v0/ppo/{copy}"
        )
    sweeps = (ROOT / "docs" / "sweeps.md").read_text()
    (folder / "space.yaml").write_text(re.search(r"```yaml\n(.*?)```", sweeps, re.DOTALL)[1])
    scene = (ROOT / "docs" / "add_a_scene_and_task.md").read_text()
    for name, text in re.findall(r"```\w+\n(?:#|<!--) ([\w/]+\.\w+)(?: -->)?\n(.*?)```", scene, re.DOTALL):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "downloads").mkdir()
    shutil.copy(folder / "experiments/Navigation-v0/ppo/smoke/best_model.zip", folder / "downloads" / "best_model.zip")
    PPO("MlpPolicy", "CartPole-v1", device="cpu").save(folder / "sb3")
    return folder


@pytest.fixture(scope="module")
def runner_examples(workplace):
    """Shorten the examples of the runner, which takes no overrides, and make the run that they continue."""
    folder = workplace
    with (folder / "config.yml").open("a") as machine:
        machine.write(
            "\nevaluation: {num_episodes: 2}\ntraining: {log_points: 1, eval: {num_evals: 1, num_episodes: 1}}\n"
        )
    examples = folder / "examples" / "runner"
    for file in examples.glob("*.yaml"):
        text = re.sub(r"max_epochs: \d+", "max_epochs: 2", file.read_text())
        file.write_text(re.sub(r"max_frames: \d+", "max_frames: 2048", text))
    first = (examples / "cartpole.yaml").read_text().replace("max_epochs: 2", "max_epochs: 1")
    (folder / "first.yaml").write_text(
        first.replace("name: CartPole ", "full_experiment_name: first\n    name: CartPole ")
    )
    run(["rl-pipeline", "runner", "--train", "--file", "first.yaml"], folder).check_returncode()


def environment():
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "200"}


def run(words, folder):
    if words[0] in ("rl-pipeline", "python"):
        return prepared.run(words, folder, environment())
    return subprocess.run(words, cwd=folder, env=environment(), capture_output=True, text=True, timeout=250)


@pytest.mark.slow
@pytest.mark.parametrize("command", documented_commands())
def test_documented_command_runs(command, workplace, request, eventually):
    if command.startswith("rl-pipeline runner"):
        request.getfixturevalue("runner_examples")
    if any(part in command for part in NEEDS_ROS) and find_spec("interfaces_pkg") is None:
        pytest.skip("ROS 2 is not installed, or its workspace is not built")
    for start, sign in SERVERS.items():
        if command.startswith(start):
            assert_comes_up(installed(command), workplace, sign, eventually)
            return
    words = installed(command)
    done = run(words, workplace)
    if "--show" in words and done.returncode == 2:
        assert "display" in done.stderr
        return
    if "--guided" in words and done.returncode == 2:
        assert "bash install.bash fuzz" in done.stderr
        return
    assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}\n{done.stderr}"


@pytest.mark.slow
def test_the_examples_of_the_questions_run(workplace):
    for code in re.findall(r"```python\n(.*?)```", (ROOT / "docs/faq.md").read_text(), re.DOTALL):
        (workplace / "question.py").write_text(code)
        done = run(["python", "question.py"], workplace)
        assert done.returncode == 0, done.stderr


def assert_comes_up(words, folder, sign, eventually):
    if words[0] == "rl-pipeline":
        with prepared.PreparedProcess(words, folder, environment()) as process:

            def is_up():
                ended = process.poll() is not None
                return re.search(sign, "".join(process.written())) or ended

            eventually(is_up, 60)
            assert process.poll() is None, process.written()
            process.terminate()
            process.wait(20)
        return
    with subprocess.Popen(
        words, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert any(re.search(sign, line) for line in process.stdout), f"{words} ended without saying {sign!r}"
        finally:
            process.terminate()
            process.wait(20)


def linked_files(page):
    """Files that a page links to, without links to the web."""
    targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text())
    return [page.parent / target for target in targets if "://" not in target]


def test_every_page_is_reached_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            waiting += linked_files(page)
    assert [page.name for page in (ROOT / "docs").glob("*.md") if page.resolve() not in reached] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    assert [str(target) for target in linked_files(page) if not target.exists()] == []
