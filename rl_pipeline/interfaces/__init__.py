"""Interface definitions (`.msg`, `.srv`), and the codec between their bytes on the wire and arrays of a batch.

Names are imported on first use: the launcher of players imports `interfaces.workspaces` where NumPy is not installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rl_pipeline.lazy_names import attach_names

if TYPE_CHECKING:
    from rl_pipeline.interfaces.batch import Batch, Elements
    from rl_pipeline.interfaces.codec import LatestMessage, MessageCodec
    from rl_pipeline.interfaces.definitions import Interfaces, Service, load_interfaces
    from rl_pipeline.interfaces.layout import Layout, Lengths
    from rl_pipeline.interfaces.ragged import RaggedBatch
    from rl_pipeline.interfaces.settled import once_settled
    from rl_pipeline.interfaces.types import CodecError
    from rl_pipeline.interfaces.workspaces import use_workspaces

__all__ = [
    "Batch",
    "CodecError",
    "Elements",
    "Interfaces",
    "LatestMessage",
    "Layout",
    "Lengths",
    "MessageCodec",
    "RaggedBatch",
    "Service",
    "load_interfaces",
    "once_settled",
    "use_workspaces",
]

_MODULES = {
    "Batch": ".batch",
    "CodecError": ".types",
    "Elements": ".batch",
    "Interfaces": ".definitions",
    "LatestMessage": ".codec",
    "Layout": ".layout",
    "Lengths": ".layout",
    "MessageCodec": ".codec",
    "RaggedBatch": ".ragged",
    "Service": ".definitions",
    "load_interfaces": ".definitions",
    "once_settled": ".settled",
    "use_workspaces": ".workspaces",
}
"""The module of this package that each name is imported from."""

__getattr__, __dir__ = attach_names(__name__, _MODULES)
