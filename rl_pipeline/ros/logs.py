"""Log of the package as that of a ROS node: on the terminal, in ROS's log files and on /rosout."""

from __future__ import annotations

import logging
from typing import Any


class RosLogHandler(logging.Handler):
    """Handler that passes log records to the logger of a node.

    Args:
        node: ROS node.
    """

    def __init__(self, node: Any) -> None:
        super().__init__()
        self._logger = node.get_logger()

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record at the node's level of the same name."""
        text = self.format(record)
        # One line of code for each severity: rclpy refuses a line that logs at several.
        if record.levelno >= logging.CRITICAL:
            self._logger.fatal(text)
        elif record.levelno >= logging.ERROR:
            self._logger.error(text)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(text)
        elif record.levelno >= logging.INFO:
            self._logger.info(text)
        else:
            self._logger.debug(text)
