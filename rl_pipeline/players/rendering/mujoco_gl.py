"""The GL of MuJoCo, which settles for what MUJOCO_GL names when it is imported, and fails where that does not work."""

from __future__ import annotations

import logging
import os
from typing import Final

logger = logging.getLogger(__name__)

VARIABLE: Final = "MUJOCO_GL"
DISABLED: Final = "disabled"


def import_mujoco() -> None:
    """Import MuJoCo if MUJOCO_GL is set; where that GL does not work, warn and set it to `disabled`.

    Without MUJOCO_GL there is nothing to do: MuJoCo can be imported then.
    """
    wish = os.environ.get(VARIABLE, "").strip()
    if not wish:
        return
    try:
        import mujoco
    except Exception as error:  # of OpenGL as well as MuJoCo, depending on what is missing
        logger.warning("MUJOCO_GL=%s does not work here (%s: %s): no GL is used", wish, type(error).__name__, error)
        os.environ[VARIABLE] = DISABLED
        import mujoco  # noqa: F401
