"""Finding and reading definitions, and what is said of bad ones."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.interfaces import Interfaces, load_interfaces


def test_messages_and_services_have_two_names(interfaces):
    assert interfaces.message("geometry_msgs/Pose") is interfaces.message("geometry_msgs/msg/Pose")
    step = interfaces.service("interfaces_pkg/srv/NavigationStep")
    assert step is interfaces.service("interfaces_pkg/NavigationStep")
    assert step.name == "interfaces_pkg/NavigationStep"
    assert step.request.name == "interfaces_pkg/NavigationStep_Request"


def test_constants_are_read_from_the_definition(interfaces):
    assert interfaces.message("interfaces_pkg/Lidar2D").constants["TAG_WALL"] == 1
    assert interfaces.message("awkward_msgs/Awkward").constants == {"LIMIT": 7, "GREETING": "hello"}
    assert interfaces.message("sensor_msgs/BatteryState").constants["POWER_SUPPLY_STATUS_CHARGING"] == 1


def test_the_default_interfaces_are_the_repository_s_and_the_standard_ones():
    assert load_interfaces() is load_interfaces()
    assert "interfaces_pkg/NavigationState" in load_interfaces().messages
    assert {"interfaces_pkg/NavigationStep", "std_srvs/Trigger"} <= set(load_interfaces().services)


def test_standard_services_may_have_empty_halves(interfaces):
    trigger = interfaces.service("std_srvs/Trigger")
    assert trigger.request.encode({}) == b"\0\1\0\0"
    assert trigger.response.decode(trigger.response.encode({"message": "done"})) == {
        "success": False,
        "message": "done",
    }


def test_packages_refer_to_each_other_whatever_their_order(tmp_path, write_package):
    write_package(tmp_path, "a_msgs", {"msg/Robot.msg": "z_msgs/Arm[] arms\nLeg leg", "msg/Leg.msg": "int32 toes"})
    write_package(tmp_path / "deeper", "z_msgs", {"msg/Arm.msg": "a_msgs/Leg leg"})
    codec = load_interfaces(tmp_path).message("a_msgs/Robot")
    values = {"arms": [{"leg": {"toes": 5}}], "leg": {"toes": 4}}
    assert codec.decode(codec.encode(values)) == values


def test_the_workspace_variable_comes_first(tmp_path, write_package, monkeypatch):
    write_package(tmp_path, "interfaces_pkg", {"msg/Lidar2D.msg": "float32[] ranges"})
    write_package(tmp_path, "robot_msgs", {"msg/Arm.msg": "interfaces_pkg/Lidar2D lidar\r\n# Windows line ends\r\n"})
    monkeypatch.setenv("RL_PIPELINE_WORKSPACE", str(tmp_path))
    codec = load_interfaces().message("robot_msgs/Arm")
    assert codec.layout({"lidar.ranges": 1}).size == 12


def test_a_missing_workspace_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("RL_PIPELINE_WORKSPACE", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=r"nowhere: expected a folder.*RL_PIPELINE_WORKSPACE"):
        load_interfaces()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("interfaces_pkg/NavigatonState", "did you mean 'interfaces_pkg/NavigationState'"),
        ("geometry_msg/Pose", "did you mean 'geometry_msgs/Pose'"),
        ("Pose", "valid: geometry_msgs/Pose"),
        ("nowhere_msgs/Nothing", "unknown package of message 'nowhere_msgs/Nothing'"),
    ],
)
def test_an_unknown_message_offers_the_nearest(interfaces, name, said):
    with pytest.raises(UnknownNameError) as caught:
        interfaces.message(name)
    assert said in str(caught.value)


def test_an_unknown_service_offers_the_nearest_and_says_where_it_was_looked_for(interfaces):
    with pytest.raises(
        UnknownNameError, match=r"ros_ws/src/interfaces_pkg.*did you mean 'interfaces_pkg/NavigationStep'"
    ):
        interfaces.service("interfaces_pkg/NavigationStop")


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("msg/Bad.msg", "int32 a\n\nfloat64 b 1.5 # d\nint32", "Bad.msg, line 4: expected `type name`"),
        ("msg/Bad.msg", "int32 a\nint 5 b", "Bad.msg, line 2: expected `type name`"),
        ("msg/Bad.msg", "int32 a\nPoze pose", "Bad.msg: field pose: unknown message 'bad_msgs/Poze'"),
        ("msg/Bad.msg", "geometry_msgs/Poze pose", "did you mean 'geometry_msgs/Pose'"),
        ("msg/Bad.msg", "Bad[] children", "message bad_msgs/Bad contains itself"),
        ("srv/Bad.srv", "int32 a\n---\nint32 b\nint32 =", "Bad.srv, line 4: expected `type name`"),
        ("srv/Bad.srv", "int32 a\n", "expected one line `---` between request and response, found 0"),
        ("srv/Bad.srv", "# nothing\n---\nint32 b", "Bad.srv: the request is empty"),
        ("srv/Bad.srv", "int32 a\nint32 LIMIT=3\n---\n", "Bad.srv: the response is empty"),
    ],
)
def test_a_bad_definition_is_an_error_that_names_the_file_and_the_line(tmp_path, write_package, file, text, said):
    write_package(tmp_path, "bad_msgs", {file: text, "msg/Good.msg": "int32 a"})
    interfaces = load_interfaces(tmp_path)
    assert interfaces.message("bad_msgs/Good").layout().size == 8
    with pytest.raises(InputError) as caught:
        (interfaces.service if file.endswith("srv") else interfaces.message)("bad_msgs/Bad")
    assert said in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_wide_strings_are_said_to_be_unsupported(tmp_path, write_package):
    write_package(tmp_path, "wide_msgs", {"msg/Wide.msg": "wstring text"})
    with pytest.raises(InputError, match=r"Wide.msg: field text: type wstring is not supported; did you mean 'string'"):
        load_interfaces(tmp_path).message("wide_msgs/Wide")


def test_a_definition_that_is_no_text_is_an_error(tmp_path, write_package):
    package = write_package(tmp_path, "bad_msgs", {"msg/Bad.msg": ""})
    (package / "msg" / "Bad.msg").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"Bad.msg: cannot read the definition"):
        load_interfaces(tmp_path).message("bad_msgs/Bad")


@pytest.mark.parametrize(("manifest", "said"), [("<package>", "no XML"), ("<package/>", "expected a <name>")])
def test_a_bad_package_manifest_is_an_error_that_names_it(tmp_path, write_package, manifest, said):
    package = write_package(tmp_path, "bad_msgs", {"msg/Any.msg": "int32 a"})
    (package / "package.xml").write_text(manifest)
    with pytest.raises(InputError, match=rf"package.xml: {said}"):
        Interfaces(tmp_path)


def test_importing_loads_nothing_heavy():
    heavy = {"rosbags", "gymnasium", "torch", "mujoco", "pydantic", "stable_baselines3"}
    code = f"import sys, rl_pipeline.interfaces; print(*({heavy!r} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.split() == []
