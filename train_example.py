"""Train an agent in any Gymnasium environment, from a YAML file.

python train_example.py --config configs/base_ppo_config.yaml training.total_timesteps=20000
"""

from __future__ import annotations

import argparse

from rl_pipeline.cli import main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train an agent in any Gymnasium environment, from a YAML file.")
    parser.add_argument("--config", required=True, help="the YAML file")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    parser.add_argument("overrides", nargs="*", help="settings such as training.use_wandb=false")
    arguments = parser.parse_args()
    debug = ["--debug"] if arguments.debug else []
    main([*debug, "train", "--config", arguments.config, "--", *arguments.overrides])
