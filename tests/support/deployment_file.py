"""Deployment files with one key changed."""

from pathlib import Path

import yaml

VEHICLE = Path(__file__).parents[2] / "ros_ws/src/examples_pkg/config/vehicle.yaml"


def changed_vehicle(folder, path, value):
    """Write the vehicle's deployment file with the value at a dotted path changed, or removed for None."""
    tree = yaml.safe_load(VEHICLE.read_text())
    *parents, name = path.split(".")
    section = tree
    for parent in parents:
        section = section[parent]
    if value is None:
        del section[name]
    else:
        section[name] = value
    file = folder / "robot.yaml"
    file.write_text(yaml.safe_dump(tree))
    return file
