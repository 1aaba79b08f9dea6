"""What the site does to the pages: links to files of the repository become their paths, which readers have at hand."""

from __future__ import annotations

import re
from typing import Any, Final

REPOSITORY_LINK: Final = re.compile(r"\[([^\]]+)\]\(\.\./([^)]+)\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by mkdocs with the text of each page."""
    return REPOSITORY_LINK.sub(r"\1 (`\2`)", markdown)
