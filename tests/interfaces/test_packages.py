"""Definitions are found wherever in a package they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from rl_pipeline.errors import InputError
from rl_pipeline.interfaces import load_interfaces

GO = "bool a\n---\nPose2D pose"


def test_definitions_lie_anywhere_in_a_package(tmp_path, write_package) -> None:
    write_package(
        tmp_path, "p", {"rl_pkg/msg/Pose2D.msg": "float32 x", "use_cases/uc1/Go.srv": GO, "Top.msg": "bool b"}
    )
    interfaces = load_interfaces(tmp_path)
    assert list(interfaces.service("p/Go").response.struct.fields) == ["pose"]
    assert {"p/Pose2D", "p/Top"} <= set(interfaces.messages)


def test_a_definition_belongs_to_the_innermost_package(tmp_path, write_package) -> None:
    outer = write_package(tmp_path, "outer", {"msg/One.msg": "int8 a"})
    write_package(outer, "inner", {"msg/Two.msg": "int8 a"})
    assert load_interfaces(tmp_path).packages == {"outer", "inner"}
    messages = load_interfaces(tmp_path).messages
    assert {"outer/One", "inner/Two"} <= set(messages)
    assert "outer/Two" not in messages


def test_folders_that_colcon_ignores_and_hidden_ones_are_left_out(tmp_path, write_package) -> None:
    write_package(tmp_path / "src", "p", {"srv/Go.srv": "int32 new\n---\nint32 b"})
    for stale in ("install", ".git"):
        write_package(tmp_path / stale, "p", {"srv/Go.srv": "int32 old\n---\nint32 b"})
    (tmp_path / "install/COLCON_IGNORE").touch()
    assert list(load_interfaces(tmp_path).service("p/Go").request.struct.fields) == ["new"]


def test_a_linked_package_is_found_and_a_link_in_a_circle_ends(tmp_path, write_package) -> None:
    package = write_package(tmp_path / "elsewhere", "p", {"msg/One.msg": "int8 a"})
    workspace = tmp_path / "ws"
    workspace.mkdir()
    (workspace / "p").symlink_to(package)
    (package / "round").symlink_to(package)
    assert "p/One" in load_interfaces(workspace).messages


@pytest.mark.parametrize(
    ("build_file", "field"),
    [
        ('rosidl_generate_interfaces(${PROJECT_NAME}\n  "a/Go.srv" # "b/Go.srv"\n)', "of_a"),
        ("set(files b/Go.srv)\nrosidl_generate_interfaces(p ${files})", "of_b"),
    ],
)
def test_of_files_of_one_name_that_of_the_build_counts(
    tmp_path: Path, write_package, build_file: str, field: str
) -> None:
    files = {f"{folder}/Go.srv": f"int32 of_{folder}\n---\nint32 b" for folder in ("a", "b", "srv")}
    write_package(tmp_path, "p", {**files, "CMakeLists.txt": build_file})
    assert list(load_interfaces(tmp_path).service("p/Go").request.struct.fields) == [field]


def test_else_that_of_the_folder_counts_which_ros_expects(tmp_path, write_package) -> None:
    write_package(tmp_path, "p", {f"{folder}/One.msg": f"int32 of_{folder}" for folder in ("a", "msg")})
    assert list(load_interfaces(tmp_path).message("p/One").struct.fields) == ["of_msg"]


def test_else_the_files_are_named(tmp_path, write_package) -> None:
    write_package(tmp_path, "p", {"a/One.msg": "int8 a", "b/One.msg": "int8 b", "msg/Two.msg": "int8 a"})
    interfaces = load_interfaces(tmp_path)
    assert interfaces.message("p/Two")
    with pytest.raises(InputError, match=r"p/One: several files .*p/a/One.msg, .*p/b/One.msg; name one .*CMakeLists"):
        interfaces.message("p/One")
