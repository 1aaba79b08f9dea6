"""The package for colcon: one executable a node, and its launch and parameter files."""

from glob import glob

from setuptools import setup

NAME = "examples_pkg"
NODES = ("train", "play", "evaluate", "deploy", "endpoint", "communication_monitor")

setup(
    name=NAME,
    version="0.1.0",
    packages=[NAME],
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        (f"share/{NAME}/launch", glob("launch/*.launch.py")),
        (f"share/{NAME}/config", glob("config/*.yaml")),
    ],
    zip_safe=True,
    entry_points={"console_scripts": [f"{node} = {NAME}.{node}:main" for node in NODES]},
)
