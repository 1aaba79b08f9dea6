"""Loader of the package mlagents-envs that makes it work with a current protobuf.

Its last releases ship modules that protoc generated in 2019, which build descriptors by hand; protobuf refuses that
since version 4. Each such module still holds the serialized descriptor of its file. When the module is imported, it is
built from that descriptor, with the builder that the output of today's protoc calls.
"""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import logging
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Final

from rl_pipeline.errors import InputError

_GENERATED: Final = "mlagents_envs.communicator_objects."


def load_mlagents() -> ModuleType:
    """Import `mlagents_envs.environment`, with its log messages off.

    Raises:
        InputError: the package is not installed.
    """
    if importlib.util.find_spec("mlagents_envs") is None:
        raise InputError(
            "ML-Agents: the package mlagents-envs is not installed; run: pip install 'rl-pipeline[mlagents]'"
        )
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    importlib.import_module("mlagents_envs.logging_util").set_log_level(logging.WARNING)
    return importlib.import_module("mlagents_envs.environment")


class _Finder(importlib.abc.MetaPathFinder):
    """Finder of the generated modules of mlagents-envs, which sets their loader."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the spec of a generated module; None for any other module."""
        if not (fullname.startswith(_GENERATED) and fullname.endswith("_pb2")):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(fullname, spec.origin)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    """Loader that builds a generated module from the descriptor in its source."""

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module with its descriptor, messages and enumerations."""
        from google.protobuf import descriptor_pb2, descriptor_pool
        from google.protobuf.internal import builder

        # Modules that the descriptor refers to come first.
        serialized = _serialized_descriptor(self.get_source(self.name) or "", self.path)
        for needed in descriptor_pb2.FileDescriptorProto.FromString(serialized).dependency:
            if needed.startswith("mlagents_envs/"):
                importlib.import_module(needed.removesuffix(".proto").replace("/", ".") + "_pb2")
        # As the output of today's protoc does.
        contents: dict[str, Any] = vars(module)
        contents["DESCRIPTOR"] = descriptor = descriptor_pool.Default().AddSerializedFile(serialized)
        builder.BuildMessageAndEnumDescriptors(descriptor, contents)
        builder.BuildTopDescriptorsAndMessages(descriptor, module.__name__, contents)


def _serialized_descriptor(source: str, path: str) -> bytes:
    """Return the serialized FileDescriptorProto in the source of a generated module, old or new."""
    # New modules add the bytes to a pool, old ones give them to the constructor of a descriptor.
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr == "AddSerializedFile":
            return bytes(ast.literal_eval(node.args[0]))
        if node.func.attr == "FileDescriptor":
            for keyword in node.keywords:
                if keyword.arg == "serialized_pb":
                    return _literal_bytes(keyword.value)
    raise ImportError(f"{path}: expected a module that protoc generated, found no descriptor in it")


def _literal_bytes(value: ast.expr) -> bytes:
    """Return a bytes literal, or the text in `_b('...')`, which stands for bytes in the oldest modules."""
    if isinstance(value, ast.Call):
        return str(ast.literal_eval(value.args[0])).encode("latin1")
    return bytes(ast.literal_eval(value))
