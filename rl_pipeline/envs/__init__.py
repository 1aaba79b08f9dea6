"""Tasks on players as Gymnasium environments. Importing this package registers them with Gymnasium."""

from rl_pipeline.envs.registration import register_task, register_tasks

__all__ = ["register_task"]

register_tasks()
