"""mlagents-envs, whose generated modules protobuf refuses, works all the same; without it the error names the extra."""

import importlib
import importlib.util

import pytest

from rl_pipeline.backends.mlagents import load_mlagents
from rl_pipeline.errors import InputError


def test_missing_package_is_told_with_the_extra_that_brings_it(monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "mlagents_envs" else find_spec(name))
    with pytest.raises(InputError, match=r"mlagents-envs is not installed; run: pip install 'rl-pipeline\[mlagents\]'"):
        load_mlagents()


def test_messages_are_written_and_read_with_the_protobuf_that_is_installed():
    pytest.importorskip("mlagents_envs")
    environment = load_mlagents()
    assert environment is load_mlagents()
    messages = importlib.import_module("mlagents_envs.communicator_objects.unity_message_pb2")
    sent = messages.UnityMessageProto()
    sent.header.status = 200
    sent.unity_output.rl_output.agentInfos["Navigation"].value.add(id=3, reward=0.5)
    read = messages.UnityMessageProto.FromString(sent.SerializeToString())
    assert read.unity_output.rl_output.agentInfos["Navigation"].value[0].reward == 0.5
    assert environment.UnityEnvironment.API_VERSION == "1.5.0"
