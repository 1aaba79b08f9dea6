"""Hooks of the site: links to files of the repository become their paths, since readers have the checkout at hand."""

from __future__ import annotations

import re
from typing import Any, Final

REPOSITORY_LINK: Final = re.compile(r"\[([^\]]+)\]\(\.\./([^)]+)\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return the text of a page with paths in place of links to files outside docs/."""
    return REPOSITORY_LINK.sub(r"\1 (`\2`)", markdown)
