"""Painter: frames without OpenGL, by drawing the faces of a model from back to front (painter's algorithm)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import mujoco
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from rl_pipeline.players.rendering.picture import Camera, Colour, Disc, Picture, Rays
from rl_pipeline.players.rendering.projection import Projection, Solids, Surface

Array = NDArray[np.float64]

OVERSAMPLING: Final = 2
"""Pixels drawn per pixel of the frame, along each axis; their mean makes smooth edges."""

_TILE: Final = 1.0
"""Side of a tile of the floor, m."""
_AMBIENT: Final = 0.58
"""Brightness of a face that gets no direct light."""
_DIFFUSE: Final = 0.52
"""Additional brightness of a face that faces the light (Lambert's law)."""
_EDGE_SHADE: Final = 0.88
"""Brightness of the outline of a round face, relative to the face."""
_SHADOW: Final = (62, 66, 84)
_SHADOW_OPACITY: Final = 88
"""From 0 to 255."""
_SHADOW_SOFTNESS: Final = 2.0
"""Standard deviation of the blur of shadows, pixels."""
_RAY_OPACITY: Final = 0.30
_DOT_RADIUS: Final = 0.005
"""Radius of the dot at a hit, relative to the height of the frame."""
_DOT_LIFT: Final = 0.05
"""Distance by which a dot is drawn before the face that was hit, m."""
_MIN_LIGHT_SLOPE: Final = 0.1
"""Least downward part of the light's direction; flatter light would cast endless shadows."""
_SKY_TOP: Final = np.array((188.0, 196.0, 205.0))
_SKY_BOTTOM: Final = np.array((224.0, 226.0, 224.0))


class Painter:
    """Renderer of a model and a picture by Pillow.

    The ground and the shadows of bodies that do not move within an episode are drawn once and kept.

    Args:
        model: compiled model.
        camera: camera of the frames.
        width: width of a frame, pixels.
        height: height of a frame, pixels.
    """

    def __init__(self, model: mujoco.MjModel, camera: Camera, width: int = 640, height: int = 480) -> None:
        self._model = model
        self._size = (width * OVERSAMPLING, height * OVERSAMPLING)
        # Shadows are blurred anyway: they are drawn without oversampling.
        self._project = Projection(camera, *self._size)
        self._shadow_size = (width, height)
        self._shadow_project = Projection(camera, width, height)
        self._light = _light_of(model)
        self._solids = Solids(model)
        self._planes: list[int] = np.flatnonzero(model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE).tolist()
        # Faces of bodies that move by themselves: neither fixed to the world nor moved by layouts (mocap).
        body = model.geom_bodyid[self._solids.geom_of_face]
        self._moving = (model.body_weldid[body] != 0) & (model.body_mocapid[body] < 0)
        self._backdrop: Image.Image | None = None
        self._backdrop_key = b""

    def draw(self, data: mujoco.MjData, picture: Picture) -> Image.Image:
        """Draw the frame of a state with up-to-date kinematics, without overlay."""
        # From the ground up: ground, discs, shadows, rays, solids.
        surface = self._solids.surface(data)
        image = self._ground(data, surface).copy()
        canvas = ImageDraw.Draw(image, "RGBA")
        for disc in picture.discs:
            self._draw_disc(canvas, disc)
        self._cast_shadows(image, surface, self._moving)
        if picture.rays is not None:
            self._draw_rays(canvas, picture.rays)
        self._draw_solids(canvas, data, surface, picture.rays)
        return image.reduce(OVERSAMPLING)

    def close(self) -> None:
        """No-op: a painter has no resources to release."""

    def _ground(self, data: mujoco.MjData, surface: Surface) -> Image.Image:
        """Return sky, tiles and the shadows of bodies at rest; drawn again if a layout has moved them."""
        key = data.mocap_pos.tobytes() + data.mocap_quat.tobytes()
        if self._backdrop is None or key != self._backdrop_key:
            self._backdrop, self._backdrop_key = _gradient(self._size), key
            canvas = ImageDraw.Draw(self._backdrop, "RGBA")
            for geom in self._planes:
                self._draw_tiles(canvas, geom)
            self._cast_shadows(self._backdrop, surface, ~self._moving)
        return self._backdrop

    def _draw_tiles(self, canvas: ImageDraw.ImageDraw, geom: int) -> None:
        """Draw a plane of limited size in the two colours of its texture; the backdrop stands for endless ones."""
        half_x, half_y, _ = self._model.geom_size[geom]
        if half_x <= 0.0 or half_y <= 0.0:
            return
        colours = _checker_colours(self._model, geom)
        centre_x, centre_y, _ = self._model.geom_pos[geom]
        for row, x in enumerate(np.arange(-half_x, half_x, _TILE) + centre_x):
            for column, y in enumerate(np.arange(-half_y, half_y, _TILE) + centre_y):
                # Corners counter-clockwise.
                corners = np.array([(x, y, 0.0), (x + _TILE, y, 0.0), (x + _TILE, y + _TILE, 0.0), (x, y + _TILE, 0.0)])
                canvas.polygon(self._project.pixels(corners), fill=colours[(row + column) % 2])

    def _cast_shadows(self, image: Image.Image, surface: Surface, faces: NDArray[np.bool_]) -> None:
        """Draw the shadows of faces on the ground, with soft edges."""
        # Project vertices along the light to height 0, then to pixels.
        height = surface.vertices[:, 2:]
        on_ground = surface.vertices - height * (self._light / self._light[2])
        pixels, _ = self._shadow_project(on_ground)
        points = [tuple(pixel) for pixel in pixels.tolist()]
        # Faces towards the light, as a mask of opacity.
        mask = Image.new("L", self._shadow_size)
        canvas = ImageDraw.Draw(mask)
        for face in np.flatnonzero(faces & (surface.normals @ self._light < 0.0)):
            canvas.polygon([points[corner] for corner in self._solids.faces[face]], fill=_SHADOW_OPACITY)
        box = mask.getbbox()
        if box is None or not self._planes:
            return
        # Blur the part of the mask that has shadows; three standard deviations are enough of a margin.
        margin = round(3 * _SHADOW_SOFTNESS)
        box = (
            max(0, box[0] - margin),
            max(0, box[1] - margin),
            min(self._shadow_size[0], box[2] + margin),
            min(self._shadow_size[1], box[3] + margin),
        )
        soft = mask.crop(box).filter(ImageFilter.GaussianBlur(_SHADOW_SOFTNESS))
        soft = soft.resize((soft.width * OVERSAMPLING, soft.height * OVERSAMPLING), Image.Resampling.BILINEAR)
        image.paste(_SHADOW, (box[0] * OVERSAMPLING, box[1] * OVERSAMPLING), soft)

    def _draw_solids(
        self, canvas: ImageDraw.ImageDraw, data: mujoco.MjData, surface: Surface, rays: Rays | None
    ) -> None:
        """Draw the faces and, at their depths among them, the dots of hits."""
        pixels, depth = self._project(surface.vertices)
        points = [tuple(pixel) for pixel in pixels.tolist()]
        # Faces towards the camera, shaded by their angle to the light.
        facing = np.einsum("fi,fi->f", surface.normals, self._project.eye - surface.centres) > 0.0
        light = _AMBIENT + _DIFFUSE * np.maximum(0.0, -(surface.normals @ self._light))
        geoms = self._solids.geom_of_face
        shades = np.minimum(255, 255 * self._model.geom_rgba[geoms, :3] * light[:, None]).astype(int)
        fills = [tuple(shade) for shade in shades.tolist()]
        edges = [tuple(shade) for shade in (shades * _EDGE_SHADE).astype(int).tolist()]
        # Back to front, with every dot before the first body that is nearer.
        dots = [] if rays is None else self._hits(rays)
        for face, place in self._back_to_front(data, depth, np.flatnonzero(facing)):
            while dots and dots[-1].depth > place:
                _draw_dot(canvas, dots.pop())
            corners = self._solids.faces[face]
            outline = edges[face] if len(corners) > 4 else fills[face]
            canvas.polygon([points[corner] for corner in corners], fills[face], outline)
        while dots:
            _draw_dot(canvas, dots.pop())

    def _back_to_front(self, data: mujoco.MjData, depth: Array, faces: NDArray[np.intp]) -> Iterator[tuple[int, float]]:
        """Yield faces in drawing order, body by body, with the depth of the body.

        The depth of a body is that of the point where it stands, so that its parts stay together. The depth of a geom
        of the world, which is a wall, is that of its farthest corner: everything in front of a wall is drawn over it.
        """
        # Farthest vertex of each geom.
        deepest = np.full(self._model.ngeom, -np.inf)
        np.maximum.at(deepest, self._solids.geom_of_vertex, depth)
        # Depth by body, and within a body by geom.
        bodies = self._model.geom_bodyid
        standing = data.xpos * (1.0, 1.0, 0.0)
        by_body = np.where(bodies == 0, deepest, self._project(standing)[1][bodies])
        by_geom = self._project(data.geom_xpos)[1]
        geoms = self._solids.geom_of_face[faces]
        order = np.lexsort((-by_geom[geoms], bodies[geoms], -by_body[geoms]))
        yield from zip(faces[order].tolist(), by_body[geoms[order]].tolist(), strict=True)

    def _hits(self, rays: Rays) -> list[_Dot]:
        """Return the dots of hits, the farthest last."""
        ends, colours = rays.ends[rays.hits], rays.colours[rays.hits]
        pixels, _ = self._project(ends)
        # Depth of the point on the ground below, as for bodies, and a little before the face that was hit.
        _, depth = self._project(ends * (1.0, 1.0, 0.0))
        dots = [
            _Dot(place - _DOT_LIFT, (x, y), (*colour, 1.0))
            for place, (x, y), colour in zip(depth.tolist(), pixels.tolist(), colours.tolist(), strict=True)
        ]
        return sorted(dots, key=lambda dot: dot.depth)

    def _draw_disc(self, canvas: ImageDraw.ImageDraw, disc: Disc) -> None:
        """Draw a disc as a polygon, a ring as one that goes out along its outer edge and back along the inner one."""
        angles = np.pi / 2 + np.linspace(0.0, 2 * np.pi * disc.sweep, 49)
        circle = np.column_stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)])
        centre = np.array((*disc.centre, 0.0))
        outline = self._project.pixels(centre + disc.radius * circle)
        if disc.inner_radius > 0.0:
            outline += self._project.pixels(centre + disc.inner_radius * circle[::-1])
        canvas.polygon(outline, fill=_rgba(disc.colour))

    def _draw_rays(self, canvas: ImageDraw.ImageDraw, rays: Rays) -> None:
        starts = self._project.pixels(np.broadcast_to(rays.origins, rays.ends.shape))
        ends = self._project.pixels(rays.ends)
        opacity, width = (_RAY_OPACITY, 1) if rays.opacity is None else (rays.opacity, 2)
        for start, end, colour in zip(starts, ends, rays.colours.tolist(), strict=True):
            canvas.line([start, end], fill=_rgba((*colour, opacity)), width=width * OVERSAMPLING)


@dataclass(frozen=True)
class _Dot:
    """A dot: depth along the view (m), pixel and colour."""

    depth: float
    pixel: tuple[float, float]
    colour: Colour


def _draw_dot(canvas: ImageDraw.ImageDraw, dot: _Dot) -> None:
    x, y = dot.pixel
    radius = _DOT_RADIUS * canvas.im.size[1]
    box = (x - radius, y - radius, x + radius, y + radius)
    canvas.ellipse(box, fill=_rgba(dot.colour), outline=(255, 255, 255, 170))


def _light_of(model: mujoco.MjModel) -> Array:
    """Return the direction of the model's first light, of length 1; straight down if it does not light the ground."""
    if not model.nlight or model.light_dir[0, 2] >= -_MIN_LIGHT_SLOPE:
        return np.array((0.0, 0.0, -1.0))
    direction: Array = model.light_dir[0] / np.linalg.norm(model.light_dir[0])
    return direction


def _checker_colours(model: mujoco.MjModel, geom: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the two colours of a plane's checker texture; twice its own colour if it has none."""
    # Plane, material, texture.
    material = int(model.geom_matid[geom])
    texture = -1 if material < 0 else int(model.mat_texid[material, mujoco.mjtTextureRole.mjTEXROLE_RGB])
    if texture < 0:
        plain = tuple(int(255 * part) for part in model.geom_rgba[geom, :3])
        return plain, plain
    # The checker of MuJoCo changes colour at half the width of the texture.
    start, width, channels = (int(of[texture]) for of in (model.tex_adr, model.tex_width, model.tex_nchannel))
    other = start + width // 2 * channels
    pixels = model.tex_data
    return tuple(map(int, pixels[start : start + 3])), tuple(map(int, pixels[other : other + 3]))


def _gradient(size: tuple[int, int]) -> Image.Image:
    """Draw the backdrop, paler towards the bottom."""
    width, height = size
    rows = _SKY_TOP + (_SKY_BOTTOM - _SKY_TOP) * np.linspace(0.0, 1.0, height)[:, None]
    return Image.fromarray(np.broadcast_to(rows[:, None], (height, width, 3)).astype(np.uint8))


def _rgba(colour: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    red, green, blue, opacity = (round(255 * part) for part in colour)
    return red, green, blue, opacity
