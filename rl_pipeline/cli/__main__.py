"""`python -m rl_pipeline.cli`: the command, where no script of it is at hand."""

from rl_pipeline.cli import main

main()
