"""What the container is made of, checked as far as a machine without Docker can."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker" / "docker-compose.yml"
COMPOSE_GPU = ROOT / "docker" / "docker-compose.gpu.yml"
DEV_CONTAINERS = [ROOT / ".devcontainer" / "devcontainer.json", ROOT / ".devcontainer" / "gpu" / "devcontainer.json"]
DEV_CONTAINER_CLI = "@devcontainers/cli@0.89.0"
SCRIPTS = sorted(
    path for folder in (".", "docker", ".devcontainer", "ros_ws", "tools") for path in (ROOT / folder).glob("*.bash")
)


def tool(name):
    """A program of the development environment or of the machine; the test is skipped where there is none."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    return found or pytest.skip(f"{name} is not installed")


def run(*command, timeout=250, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, **options)


@pytest.fixture
def checkout(tmp_path):
    """A copy of the project with the environment of this run, as the image has it in /workspace."""
    for name in ("docker", "rl_pipeline", "configs", "ros_ws/src"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "constraints.txt", "config.yml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])
    return tmp_path


@pytest.fixture(scope="module")
def dev_container_cli():
    """The Dev Container CLI, which npx fetches."""
    command = [tool("npx"), "--yes", DEV_CONTAINER_CLI]
    if run(*command, "--version").returncode:
        pytest.skip(f"{DEV_CONTAINER_CLI} cannot be fetched")
    return command


def test_dockerfile_follows_the_rules_of_hadolint():
    done = run(tool("hadolint"), str(ROOT / "docker" / "Dockerfile"))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_script_follows_the_rules_of_shellcheck(script):
    rules = ("--external-sources", "--severity=warning", "--exclude=SC1090")  # what is sourced may not be there
    done = run(tool("shellcheck"), *rules, str(script), cwd=ROOT)
    assert done.returncode == 0, done.stdout


def test_dockerfile_uses_what_is_there():
    text = (ROOT / "docker" / "Dockerfile").read_text()
    used = {f"docker/{name}" for name in re.findall(r"bash /docker/(\S+)", text)}
    used |= set(re.findall(r"bash ((?:docker|ros_ws)/\S+|install\.bash)", text))
    used |= {name.removeprefix("/workspace/") for name in re.findall(r'"(/workspace/\S+)"', text)}
    assert used >= {"docker/install_system.bash", "docker/entrypoint.bash", "ros_ws/build.bash", "install.bash"}
    assert [name for name in used if not (ROOT / name).is_file()] == []
    assert "USER root" not in text
    assert text.index("USER ${USER_UID}") < text.index("COPY")


def test_compose_publishes_players_ports_to_this_machine_alone_and_keeps_experiments():
    service = yaml.safe_load(COMPOSE.read_text())["services"]["rl_pipeline"]
    assert service["ports"] == ["${PUBLISH_ADDRESS:-127.0.0.1}:10000-10100:10000-10100"]
    targets = [volume.rpartition(":")[2] for volume in service["volumes"]]
    assert {"/workspace", "/workspace/.venv", "/workspace/experiments", "/tmp/.X11-unix"} == set(targets)
    assert service["build"]["context"] == ".."
    assert (COMPOSE.parent / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    assert (ROOT / "experiments").is_dir()  # else Docker would make it, as root


def test_gpu_is_all_that_the_second_file_adds():
    (service,) = yaml.safe_load(COMPOSE_GPU.read_text())["services"].values()
    assert service.keys() == {"environment", "deploy"}
    (device,) = service["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}


def test_documented_docker_commands_name_what_is_there():
    page = (ROOT / "docs" / "deployment.md").read_text()
    blocks = "".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))
    named = set(re.findall(r"--file (\S+)", blocks)) | set(re.findall(r"bash ((?:docker|\.devcontainer)/[\w.]+)", page))
    assert {"docker/docker-compose.yml", "docker/docker-compose.gpu.yml", "docker/smoke_test.bash"} <= named
    assert [name for name in named if not (ROOT / name).is_file()] == []
    variables = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text()))
    assert variables == set(re.findall(r"`([A-Z0-9_]+)`", page.partition("| variable |")[2].partition("Windows (")[0]))


def test_compose_files_are_of_the_compose_specification():
    done = run(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(COMPOSE), str(COMPOSE_GPU))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("files", [[COMPOSE], [COMPOSE, COMPOSE_GPU]], ids=["plain", "gpu"])
def test_docker_compose_accepts_the_files(files):
    docker = tool("docker")
    if run(docker, "compose", "version").returncode:
        pytest.skip("this docker has no compose")
    done = run(docker, "compose", *(word for path in files for word in ("--file", str(path))), "config", "--quiet")
    assert done.returncode == 0, done.stderr


def test_dev_containers_differ_in_the_gpu_alone():
    plain, gpu = (json.loads(path.read_text()) for path in DEV_CONTAINERS)
    for path, config in zip(DEV_CONTAINERS, (plain, gpu), strict=True):
        files = [(path.parent / name).resolve() for name in config.pop("dockerComposeFile")]
        assert files == ([COMPOSE] if config is plain else [COMPOSE, COMPOSE_GPU])
        config.pop("name")
    assert plain == gpu
    assert (ROOT / plain["postCreateCommand"].removeprefix("bash ")).is_file()
    assert plain["service"] in yaml.safe_load(COMPOSE.read_text())["services"]


@pytest.mark.slow
@pytest.mark.parametrize("config", DEV_CONTAINERS, ids=["plain", "gpu"])
def test_dev_container_is_read_by_its_own_command(config, dev_container_cli):
    # It asks Docker for containers that run already; there are none.
    read = [
        "read-configuration",
        "--workspace-folder",
        str(ROOT),
        "--config",
        str(config),
        "--docker-path",
        "/bin/true",
    ]
    done = run(*dev_container_cli, *read)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["configuration"]["service"] == "rl_pipeline"


def test_commands_of_the_container_find_the_environment(checkout):
    inner = "import sys; print(sys.prefix); import rl_pipeline"
    environment = clean() | {"PATH": "/usr/bin:/bin"}
    done = run("bash", str(checkout / "docker" / "entrypoint.bash"), "python", "-c", inner, env=environment, cwd="/")
    assert done.stdout.strip() == sys.prefix, done.stderr


def clean():
    """The environment without traces of the one that the tests run in."""
    return {
        name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH", "ROS_DISTRO")
    }


@pytest.mark.slow
def test_dependencies_are_installed_without_the_project(checkout):
    done = run("bash", str(checkout / "docker" / "install_dependencies.bash"), "--dry-run", "--no-deps", cwd=checkout)
    assert done.returncode == 0, done.stderr
    assert "stable-baselines3" in done.stdout
    assert "rl-pipeline" not in done.stdout


def test_dependencies_are_refused_elsewhere(tmp_path):
    done = run("bash", str(ROOT / "docker" / "install_dependencies.bash"), cwd=tmp_path)
    assert (done.returncode, "expected pyproject.toml" in done.stderr) == (2, True)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_smoke_test_finds_all_well(checkout):
    environment = clean() | {"PYTHONPATH": str(checkout)}
    done = run("bash", str(checkout / "docker" / "smoke_test.bash"), env=environment, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all is well\n")
