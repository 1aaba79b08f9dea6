"""Projection of a model's solids: pinhole camera, and the faces of geoms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import mujoco
import numpy as np
from numpy.typing import NDArray

from rl_pipeline.players.rendering.picture import Camera

Array = NDArray[np.float64]

_NEAR: Final = 0.05
"""Least depth of a point, m; nearer ones are moved there."""


class Projection:
    """Pinhole camera for frames of `width` by `height` pixels.

    Attributes:
        eye: position of the camera, m, shape (3,).
    """

    def __init__(self, camera: Camera, width: int, height: int) -> None:
        # Axes of the camera in the world: right, up, forward.
        azimuth, elevation = np.radians((camera.azimuth, camera.elevation))
        forward = np.array(
            (np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation))
        )
        right = np.array((np.sin(azimuth), -np.cos(azimuth), 0.0))
        self.eye: Array = np.array(camera.lookat) - camera.distance * forward
        self._axes = np.stack([right, np.cross(right, forward), forward], axis=1)
        self._focal = height / 2 / np.tan(np.radians(camera.vertical_field_of_view(width, height)) / 2)
        self._middle = np.array((width / 2, height / 2))

    def __call__(self, points: Array) -> tuple[Array, Array]:
        """Project points of shape (N, 3), m; return pixels, shape (N, 2), y downward, and depths, m, shape (N,)."""
        seen = (points - self.eye) @ self._axes
        depth = np.maximum(seen[:, 2], _NEAR)
        pixels = self._middle + seen[:, :2] * ((self._focal / depth)[:, None] * (1.0, -1.0))
        return pixels, depth

    def pixels(self, points: Array) -> list[tuple[float, float]]:
        """Project points of shape (N, 3), m, to a list of pixels for Pillow."""
        return list(map(tuple, self(points)[0].tolist()))


Indices = NDArray[np.intp]

_ROUND_SIDES: Final = 24
"""Sides of the polygon for a circle."""
_SPHERE_RINGS: Final = 6
"""Rings of faces from pole to pole of a sphere."""
_VISIBLE_GROUPS: Final = 3
"""Number of geom groups that are shown, from 0, as in MuJoCo's renderer."""


@dataclass(frozen=True)
class _Shape:
    """A convex solid in its own frame: vertices, m, shape (V, 3), and faces as counter-clockwise vertex indices."""

    vertices: Array
    faces: list[list[int]]


@dataclass(frozen=True)
class Surface:
    """The faces of all solids at one moment.

    Attributes:
        vertices: positions of the vertices, m, shape (V, 3).
        normals: outward normals of the faces, of length 1, shape (F, 3).
        centres: centres of the faces, m, shape (F, 3).
    """

    vertices: Array
    normals: Array
    centres: Array


class Solids:
    """The visible boxes, cylinders, capsules (as cylinders), spheres and ellipsoids of a model.

    Attributes:
        faces: indices of the vertices of each face.
        geom_of_face: geom id of each face, shape (F,).
        geom_of_vertex: geom id of each vertex, shape (V,).
    """

    def __init__(self, model: mujoco.MjModel) -> None:
        self.faces: list[list[int]] = []
        vertices: list[Array] = []
        geom_of_face: list[int] = []
        geom_of_vertex: list[int] = []
        # Number the vertices of all solids through.
        for geom in range(model.ngeom):
            shape = _shape_of(model, geom)
            if shape is None or model.geom_group[geom] >= _VISIBLE_GROUPS:
                continue
            start = len(geom_of_vertex)
            vertices.append(shape.vertices)
            geom_of_vertex += [geom] * len(shape.vertices)
            for face in shape.faces:
                self.faces.append([start + corner for corner in face])
                geom_of_face.append(geom)
        # Arrays for all faces at once; normals and centres turn with their geom.
        self.geom_of_face: Indices = np.array(geom_of_face, dtype=np.intp)
        self.geom_of_vertex: Indices = np.array(geom_of_vertex, dtype=np.intp)
        self._vertices = np.concatenate(vertices) if vertices else np.empty((0, 3))
        corners = np.array([face[:3] for face in self.faces], dtype=np.intp).reshape(-1, 3)
        self._normals = _normals(self._vertices[corners])
        self._centres = np.array([self._vertices[face].mean(axis=0) for face in self.faces]).reshape(-1, 3)

    def surface(self, data: mujoco.MjData) -> Surface:
        """Return the faces in the world, for a state with up-to-date kinematics."""
        rotations = data.geom_xmat.reshape(-1, 3, 3)
        of_vertex, of_face = rotations[self.geom_of_vertex], rotations[self.geom_of_face]
        return Surface(
            vertices=_turn(of_vertex, self._vertices) + data.geom_xpos[self.geom_of_vertex],
            normals=_turn(of_face, self._normals),
            centres=_turn(of_face, self._centres) + data.geom_xpos[self.geom_of_face],
        )


def _turn(rotations: Array, vectors: Array) -> Array:
    turned: Array = np.einsum("nij,nj->ni", rotations, vectors)
    return turned


def _normals(corners: Array) -> Array:
    """Compute normals, shape (F, 3), from three corners of each face, shape (F, 3, 3)."""
    directions: Array = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1])
    normals: Array = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    return normals


def _shape_of(model: mujoco.MjModel, geom: int) -> _Shape | None:
    """Return the shape of a geom; None for a type that is not drawn."""
    # MuJoCo's sizes: half lengths; radius and half height; radius; half axes.
    x, y, z = (float(half) for half in model.geom_size[geom])
    match mujoco.mjtGeom(int(model.geom_type[geom])):
        case mujoco.mjtGeom.mjGEOM_BOX:
            square = np.array([(x, y), (-x, y), (-x, -y), (x, -y)])
            return _stack([np.column_stack([square, np.full(4, height)]) for height in (-z, z)])
        case mujoco.mjtGeom.mjGEOM_CYLINDER:
            return _stack([_circle(x, x, height) for height in (-y, y)])
        case mujoco.mjtGeom.mjGEOM_CAPSULE:
            return _stack([_circle(x, x, height) for height in (-y - x, y + x)])
        case mujoco.mjtGeom.mjGEOM_SPHERE:
            return _ellipsoid(x, x, x)
        case mujoco.mjtGeom.mjGEOM_ELLIPSOID:
            return _ellipsoid(x, y, z)
    return None


def _circle(x: float, y: float, height: float) -> Array:
    angles = np.linspace(0.0, 2 * np.pi, _ROUND_SIDES, endpoint=False)
    return np.column_stack([x * np.cos(angles), y * np.sin(angles), np.full(_ROUND_SIDES, height)])


def _ellipsoid(x: float, y: float, z: float) -> _Shape:
    latitudes = np.linspace(-np.pi / 2, np.pi / 2, _SPHERE_RINGS + 1)[1:-1]
    return _stack([_circle(x * np.cos(angle), y * np.cos(angle), z * np.sin(angle)) for angle in latitudes])


def _stack(rings: list[Array]) -> _Shape:
    """Make a solid from counter-clockwise rings of equally many vertices, from the lowest to the highest."""
    # Bottom and top, then the sides between each ring and the next.
    count = len(rings[0])
    faces = [list(range(count))[::-1], list(range(count * (len(rings) - 1), count * len(rings)))]
    for ring in range(len(rings) - 1):
        low, high = ring * count, (ring + 1) * count
        for corner in range(count):
            following = (corner + 1) % count
            faces.append([low + corner, low + following, high + following, high + corner])
    return _Shape(np.concatenate(rings), faces)
