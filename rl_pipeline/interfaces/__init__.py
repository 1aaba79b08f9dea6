"""Interface definitions (`.msg`, `.srv`), and the codec between their bytes on the wire and arrays of a batch."""

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
