"""`rl-pipeline export`: write a trained policy as a file for other programs, as ONNX for Unity or TorchScript."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from rich.console import Console
from rich.markup import escape
from stable_baselines3.common.base_class import BaseAlgorithm

from rl_pipeline.deployment.exported_policy import ExportedPolicy, random_observations
from rl_pipeline.envs.factory import resolve_spaces
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.evaluation.selection import Selection
from rl_pipeline.evaluation.stub_vec_env import build_for_spaces
from rl_pipeline.experiment.atomic_files import check_destination, write_bytes
from rl_pipeline.experiment.checkpoints.model_file import ModelFile
from rl_pipeline.version import __version__

FORMATS: Final = {"onnx": ".onnx", "torchscript": ".pt"}
OPSET: Final = 15
"""Newest ONNX opset that Unity's inference engine (Sentis) reads; it reads 7 to 15."""
TOLERANCE: Final = 1e-5
"""Allowed difference, as a share of the range of the actions."""
ROUNDING: Final = 8 * 2.0**-23
"""Relative error put on observations, to estimate the effect of rounding in a few layers of float32."""
COMPARED: Final = 256
"""Observations on which the written file is compared with the model."""

Runner = Callable[[Sequence[torch.Tensor]], NDArray[Any]]


def export(selection: Selection, *, format: str, output: Path | None, console: Console) -> Path:
    """Write the policy to a file whose actions on random observations are those of the model.

    Args:
        selection: the trained model.
        format: `onnx` or `torchscript`.
        output: the file; None: next to the model, by its name.
        console: where the report goes.

    Returns:
        The file.

    Raises:
        InputError: there is no such format, a package is missing, the policy cannot be exported, or its actions differ
            from the model's; no file is written then.
    """
    # Check the arguments.
    if format not in FORMATS:
        raise UnknownNameError("format", format, FORMATS, where="--format")
    if selection.model is None:
        raise InputError("--agent: expected a trained agent to export, found a baseline")
    path = output or selection.model.with_suffix(FORMATS[format])
    check_destination(path, "--output")
    # Convert the policy.
    model = build_for_spaces(selection.config, *resolve_spaces(selection.config))
    ModelFile.open(selection.model).load_into(model)
    policy = ExportedPolicy.of(model)
    if format == "onnx":
        content = _to_onnx(policy, _facts(selection, model))
        run = _onnx_runner(content)
    else:
        content = _to_torchscript(policy)
        run = _torchscript_runner(content)
    # Compare before anything is written.
    difference, allowed = _compare(model, policy, run)
    if difference > allowed:
        raise InputError(
            f"{selection.model}: as {format} its actions differ by {difference:.2g}, where rounding explains "
            f"{allowed:.2g}; nothing was written"
        )
    write_bytes(path, content)
    _print_report(selection, policy, path, len(content), difference, console)
    return path


def _print_report(
    selection: Selection, policy: ExportedPolicy, path: Path, size: int, difference: float, console: Console
) -> None:
    """Print the file, its inputs and outputs, the wrappers left to the program that runs it, and the comparison."""
    console.print(f"policy   {escape(str(path))} ({size / 1024:.0f} kB)", soft_wrap=True)
    for heading, names in (("inputs", _shapes(policy)), ("outputs", policy.outputs)):
        console.print(f"{heading:<7}  {', '.join(names)}", soft_wrap=True, highlight=False)
    if remaining := [name for name in selection.config.wrappers if name != "normalize"]:
        console.print(
            f"before   the program that runs it applies {', '.join(remaining)}", soft_wrap=True, highlight=False
        )
    checked = f"{COMPARED} random observations: actions differ from the model's by {difference:.1g} at most"
    console.print(f"checked  {checked}", soft_wrap=True, highlight=False)


def _to_onnx(policy: ExportedPolicy, facts: dict[str, str]) -> bytes:
    """Return the policy as an ONNX file, with `facts` as its metadata."""
    try:
        import onnx
    except ImportError as error:
        raise InputError("--format onnx needs the packages of the extra: pip install 'rl-pipeline[export]'") from error
    content: Any = io.BytesIO()
    with warnings.catch_warnings():
        # The tracer warns of checks on shapes, which are constant here, and of being the older of two exporters. The
        # newer one does not write an opset that Unity reads.
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        torch.onnx.export(
            policy.module,
            tuple(policy.inputs.values()),
            content,
            dynamo=False,
            opset_version=OPSET,
            input_names=list(policy.inputs),
            output_names=policy.outputs,
            dynamic_axes=policy.batch_axes(),
        )
    # Add the metadata and check the file by ONNX's own rules.
    written = onnx.load_model_from_string(content.getvalue())
    onnx.helper.set_model_props(written, facts)
    onnx.checker.check_model(written)
    return bytes(written.SerializeToString())


def _to_torchscript(policy: ExportedPolicy) -> bytes:
    content = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(  # type: ignore[no-untyped-call]
            policy.module, tuple(policy.inputs.values()), check_trace=False
        )
        torch.jit.save(traced, content)
    return content.getvalue()


def _onnx_runner(content: bytes) -> Runner:
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError("--format onnx needs the packages of the extra: pip install 'rl-pipeline[export]'") from error
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_inputs()]
    return lambda inputs: session.run(None, dict(zip(names, (part.numpy() for part in inputs), strict=True)))[0]


def _torchscript_runner(content: bytes) -> Runner:
    script = torch.jit.load(io.BytesIO(content), map_location="cpu")  # type: ignore[no-untyped-call]

    def run(inputs: Sequence[torch.Tensor]) -> NDArray[Any]:
        with torch.no_grad():
            outputs = script(*inputs)
        actions: NDArray[Any] = (outputs[0] if isinstance(outputs, tuple) else outputs).numpy()
        return actions

    return run


def _compare(model: BaseAlgorithm, policy: ExportedPolicy, run: Runner) -> tuple[float, float]:
    """Return the largest difference between the actions of the written file and the model's, and the allowed one.

    Batches of one and of many are compared. Allowed are 1e-5 of the range of the actions, and as much as roundings of
    float32 in the observations change the model's own actions: wide observations make a policy sensitive to them.
    """
    # Actions of the model, and of the file for many observations at once and for one.
    observations = random_observations(model.policy.observation_space, COMPARED, seed=0)
    expected = _actions(model, observations)
    first = {k: v[:1] for k, v in observations.items()} if isinstance(observations, dict) else observations[:1]
    many = run(policy.tensors(observations))
    one = run(policy.tensors(first))
    difference = max(
        float(np.abs(many.reshape(expected.shape) - expected).max()),
        float(np.abs(one.reshape(expected[:1].shape) - expected[:1]).max()),
    )
    # The difference that rounding explains.
    rounded = (_actions(model, _rounded(observations, seed)) for seed in range(4))
    sensitivity = max(float(np.abs(actions - expected).max()) for actions in rounded)
    return difference, TOLERANCE * _range(model.action_space, expected) + sensitivity


def _actions(model: BaseAlgorithm, observations: Any) -> NDArray[np.float64]:
    """Return the model's actions for a batch of raw observations."""
    normalizer = model.get_vec_normalize_env()
    seen = observations if normalizer is None else normalizer.normalize_obs(observations)
    actions, _ = model.policy.predict(seen, deterministic=True)
    return actions.astype(np.float64)


def _rounded(observations: Any, seed: int) -> Any:
    """Return the observations with a relative error of either sign in each float; integers are unchanged."""
    if isinstance(observations, dict):
        return {key: _rounded(part, seed) for key, part in observations.items()}
    if observations.dtype.kind != "f":
        return observations
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], observations.shape)
    return (observations * (1.0 + ROUNDING * signs)).astype(observations.dtype)


def _range(space: spaces.Space[Any], actions: NDArray[np.float64]) -> float:
    """Return the range for the tolerance: the widest of the action space, at most twice the actions' magnitude."""
    used = max(1.0, 2.0 * float(np.abs(actions).max()))
    if not isinstance(space, spaces.Box):
        return used
    return min(used, float((space.high.astype(np.float64) - space.low).max()))


def _facts(selection: Selection, model: BaseAlgorithm) -> dict[str, str]:
    """Return the metadata of the file."""
    return {
        "environment": selection.config.environment.id,
        "algorithm": selection.config.algorithm.name,
        "observation_space": " ".join(str(model.observation_space).split()),
        "action_space": " ".join(str(model.action_space).split()),
        "model": str(selection.model),
        "rl_pipeline": __version__,
        "wrappers": json.dumps(selection.config.wrappers, default=str),
    }


def _shapes(policy: ExportedPolicy) -> list[str]:
    """Return the inputs with their shapes, such as `obs_0 (batch, 35)`."""
    axes = policy.batch_axes()
    return [
        f"{name} ({', '.join(axes[name].get(axis, str(size)) for axis, size in enumerate(example.shape))})"
        for name, example in policy.inputs.items()
    ]
