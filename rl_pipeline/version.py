"""The version of the package, importable from every room."""

from typing import Final

__version__: Final = "0.1.0"
