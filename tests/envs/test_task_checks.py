"""Definitions of a task's services, checked before any player is started."""

import numpy as np
import pytest
from gymnasium import spaces

from rl_pipeline.config.schema import Config
from rl_pipeline.envs.factory import resolve_spaces
from rl_pipeline.envs.player_env import PlayerEnv
from rl_pipeline.envs.registration import register_task
from rl_pipeline.envs.task import Task
from rl_pipeline.envs.task_checks import check_task, missing_abilities
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces.images import ImageSpec
from rl_pipeline.tasks.duel import DuelTask
from rl_pipeline.tasks.navigation import NavigationTask

RESET = "bool reset\n---\nPart state\n"
STEP = "float32 force\n---\nPart state\n"


class PartTask(Task):
    scene = "part"
    reset_service, step_service = "parts/PartReset", "parts/PartStep"
    observation_space = spaces.Box(-1, 1, (1,), np.float32)
    action_space = spaces.Box(-1, 1, (1,), np.float32)
    written = "force"

    def reset_request(self, num_envs):
        return {"reset": True}

    def request(self, actions):
        return {self.written: actions[:, 0]}

    def observation(self, state):
        return state.x[:, None]

    def reward(self, previous, actions, state):
        return np.zeros(len(state))

    def terminated(self, state):
        return state.x > 1


@pytest.fixture
def define(tmp_path, monkeypatch):
    """Define the services of `PartTask` in a workspace of their own."""

    def write(reset=RESET, step=STEP):
        package = tmp_path / "parts"
        for folder in ("msg", "srv"):
            (package / folder).mkdir(parents=True, exist_ok=True)
        (package / "package.xml").write_text("<package><name>parts</name></package>")
        (package / "msg" / "Part.msg").write_text("float32 x\n")
        (package / "srv" / "PartReset.srv").write_text(reset)
        (package / "srv" / "PartStep.srv").write_text(step)
        monkeypatch.setenv("RL_PIPELINE_WORKSPACE", str(tmp_path))
        return package / "srv"

    return write


@pytest.mark.parametrize("task", [NavigationTask, DuelTask])
def test_shipped_services_lack_nothing(task):
    check_task(task())
    assert missing_abilities(task()) == {}


def test_services_with_a_state_alone_are_enough(define):
    files = define()
    check_task(PartTask())
    missing = missing_abilities(PartTask())
    assert list(missing) == ["seeds", "frames", "stamps", "simulated_time"]
    assert (
        missing["seeds"]
        == f"episodes are not repeatable: {files / 'PartReset.srv'} has no `uint32 seed` in its request"
    )


def test_fields_of_another_type_count_as_absent(define):
    define(
        reset="bool reset\nstring seed\n---\nPart state\n",
        step="float32 force\nbool render\n---\nfloat64 response_sent\nbool request_received\nsensor_msgs/Image image\n"
        "float64 simulated_time\nPart state\n",
    )
    assert list(missing_abilities(PartTask())) == ["seeds", "frames", "stamps"]


@pytest.mark.parametrize(
    ("definitions", "file", "problem"),
    [
        (
            {"step": "float32 force\n---\nPart stat\n"},
            "PartStep",
            "expected a field `state` in the response.*found stat",
        ),
        ({"step": "float32 force\n---\nfloat32 state\n"}, "PartStep", "expected a field `state`.*plain field"),
        ({"reset": "bool reset\n---\ngeometry_msgs/Pose state\n"}, "PartStep", "`state` to be a geometry_msgs/Pose"),
        ({"step": "float32 thrust\n---\nPart state\n"}, "PartStep", "PartTask.request writes 'force'.*valid: thrust"),
        ({"reset": "bool rest\n---\nPart state\n"}, "PartReset", "reset_request writes 'reset'.*did you mean 'rest'"),
        (
            {"step": "float32[2] force\n---\nPart state\n", "reset": "string reset\n---\nPart state\n"},
            "PartReset",
            "writes 'reset', a sequence or text",
        ),
        ({"step": "float32[] force\n---\nPart state\n"}, "PartStep", "fixed size, such as `float32"),
    ],
)
def test_definition_that_does_not_suit_the_task_is_refused_with_file_and_field(define, definitions, file, problem):
    files = define(**definitions)
    with pytest.raises(InputError, match=problem) as refused:
        check_task(PartTask())
    assert str(files / f"{file}.srv") in str(refused.value)


def test_every_problem_is_named_at_once(define):
    define(reset="bool rest\n---\nPart stat\n", step="float32 thrust\n---\nPart stat\n")
    with pytest.raises(InputError) as refused:
        check_task(PartTask())
    assert len(str(refused.value).splitlines()) == 4


def test_task_that_observes_images_needs_them_in_both_responses(define):
    define()
    task = PartTask()
    task.image = ImageSpec(8, 8)
    with pytest.raises(InputError, match=r"(?s)PartReset\.srv: expected.*image.*PartStep\.srv: expected.*image"):
        check_task(task)


def test_definitions_are_refused_before_a_player_is_started(define, build, tmp_path):
    define(step="float32 thrust\n---\nPart state\n")
    started = tmp_path / "started"
    unity = {"build_path": str(build(f"touch {started}; sleep 60")), "connect_timeout": 5.0}
    register_task("PartOfTests-v0", PartTask)
    simulation = {"ros": {"tcp_port": 0}, "unity": unity}
    config = Config.model_validate({"environment": {"id": "PartOfTests-v0"}, "simulation": simulation})
    with pytest.raises(InputError, match=r"PartStep\.srv: PartTask\.request writes 'force'"):
        resolve_spaces(config)
    with pytest.raises(InputError, match=r"PartStep\.srv: PartTask\.request writes 'force'"):
        PlayerEnv(PartTask(), simulation=simulation)
    assert not started.exists()
