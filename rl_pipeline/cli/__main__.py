"""`python -m rl_pipeline.cli`, for environments without the script `rl-pipeline`."""

from rl_pipeline.cli import main

main()
