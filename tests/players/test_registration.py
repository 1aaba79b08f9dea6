"""Scenes are named once, and found from wherever their module was imported."""

import sys
from pathlib import Path

import pytest

from rl_pipeline.errors import InputError
from rl_pipeline.players import register_scene, registration
from rl_pipeline.players.registration import scene_arguments
from rl_pipeline.plugins import import_user_module


@pytest.fixture(autouse=True)
def apart(tmp_path, monkeypatch):
    """A working directory and a registry of the test's own."""
    for table in ("_entries", "_names"):
        monkeypatch.setattr(registration.SCENES, table, dict(getattr(registration.SCENES, table)))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    modules = set(sys.modules)
    yield
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def test_built_in_scenes_have_modules_of_their_own():
    assert scene_arguments("navigation") == ["rl_pipeline.players.navigation"]
    assert scene_arguments("duel") == ["rl_pipeline.players.duel"]


@pytest.mark.parametrize("name", ["one.py", "code/one.py", "my_package/one.py"])
def test_a_module_is_found_where_it_was_imported_from(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("class Scene:\n    name = 'ones'\n")
    module, folder = name, path.parent
    if "package" in name:
        (path.parent / "__init__.py").touch()
        module, folder = "my_package.one", tmp_path
    register_scene("ones", import_user_module(module, "modules").Scene)
    imported = "my_package.one" if "package" in name else "one"
    assert scene_arguments("ones") == [
        *("rl_pipeline.players", "--scene", f"{imported}:Scene", "--scene-folder", str(folder))
    ]


def test_a_name_is_taken_once():
    register_scene("ones", "my_scene:Scene")
    register_scene("ones", "my_scene:Scene")
    for name in ("ones", "navigation"):
        with pytest.raises(InputError, match=f"scene '{name}' is registered already, as"):
            register_scene(name, "other:Scene")


def test_a_class_has_the_name_it_is_registered_by():
    with pytest.raises(InputError, match="scene 'ones': its class is named 'others'"):
        register_scene("ones", type("Scene", (), {"name": "others"}))


@pytest.mark.parametrize("name", ["navigaton", "pace", "rendering"])
def test_an_unknown_scene_is_named_with_what_to_do(name):
    register_scene("ones", "my_scene:Scene")
    with pytest.raises(InputError, match=rf"no scene '{name}'.*navigation.*modules"):
        scene_arguments(name)
