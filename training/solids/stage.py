"""Stage: one thing in three dimensions, looked at from some side, in some light, by some lens.

Rendered by VTK, off any screen. A stage has two lamps, or the light of a panorama, which is
mirrored in what shines.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from PIL import Image

from training.solids.meshes import Part
from training.solids.surroundings import as_light

SIDE = 384  # of what is rendered, in pixels
SIDEWAYS = 65  # degrees from the front, at most, of what shows nothing from behind
FLAT = 0.3  # lower than this share of its longest side: it lies on a table and is seen from above
# From so many degrees above a thing is seen that lies on a table, stands there, or stands about.
LYING, STANDING, ABOUT = (25, 80), (10, 65), (-3, 38)
SOLID = 0.6  # the least opacity, so that glass is a thing too
# The grey of surfaces that nobody gave a colour, from what to what, and the share that is painted.
GREYS, GREY, PAINTED = (0.5, 0.85), (0.7, 0.7, 0.7), 0.6
BRIGHT = 0.9  # of a view's pixels are darker than its brightness is measured by
CREASE = 40  # degrees between faces from which an edge is sharp
METAL = 0.8  # from this shine on a thing is of metal
ROUGH, ROUGHER = 0.9, 0.15  # how rough is what does not shine, and how much that varies


class SolidStage:
    """A place where things are looked at, one after the other.

    panorama: (H, 2 H, 3) float32, the light of a place; without one, two lamps.
    """

    def __init__(self, panorama: np.ndarray | None = None) -> None:
        from vtkmodules import vtkRenderingOpenGL2  # noqa: F401  how things are drawn
        from vtkmodules.vtkCommonCore import vtkObject
        from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow

        vtkObject.GlobalWarningDisplayOff()  # some textures are missing, and plain colours there
        self.window, self.renderer = vtkRenderWindow(), vtkRenderer()
        self.window.SetOffScreenRendering(True)
        self.window.SetSize(SIDE, SIDE)
        self.window.SetAlphaBitPlanes(True)
        self.window.SetMultiSamples(0)  # an edge is where the thing ends
        self.window.AddRenderer(self.renderer)
        self.renderer.SetBackground(1, 1, 1)  # what is seen through glass
        self.renderer.SetBackgroundAlpha(0)
        self.renderer.SetUseDepthPeeling(True)
        self.renderer.SetTwoSidedLighting(True)
        self.is_lit = panorama is not None
        if panorama is not None:
            self.renderer.SetAutomaticLightCreation(False)
            self.renderer.SetUseImageBasedLighting(True)
            self.renderer.SetEnvironmentTexture(as_light(panorama))
        self.bare: list[Any] = []
        self.roughness: list[tuple[Any, float]] = []

    def show_file(self, file: Path) -> None:
        """A model of a file in OBJ, its materials and textures beside it, and nothing else.

        Only two lamps light it. Raises FileNotFoundError, and ValueError on a stage without them.
        """
        from vtkmodules.vtkIOImport import vtkOBJImporter

        if self.is_lit:
            raise ValueError(
                "Models of files are for a stage with lamps; make one without a panorama."
            )
        if not file.exists():
            raise FileNotFoundError(f"{file} is not there; fetch the version that sets.json names.")
        self._clear()
        importer = vtkOBJImporter()
        importer.SetFileName(str(file))
        importer.SetFileNameMTL(str(file.with_suffix(".mtl")))
        importer.SetTexturePath(str(file.parent))
        importer.SetRenderWindow(self.window)
        importer.Update()
        for actor in self.renderer.GetActors():
            look = actor.GetProperty()
            look.SetAmbient(0)
            look.SetOpacity(max(look.GetOpacity(), SOLID))
            if _is_bare(actor):
                self.bare.append(actor)

    def show_parts(self, parts: Sequence[Part]) -> None:
        """A thing of meshes with colours of their own, and nothing else."""
        self._clear()
        for part in parts:
            actor = _actor(part)
            self.renderer.AddActor(actor)
            if self.is_lit:
                self._finish(actor, part.shine)

    def _clear(self) -> None:
        self.renderer.RemoveAllViewProps()
        self.bare.clear()
        self.roughness.clear()

    def _finish(self, actor: Any, shine: float) -> None:
        """A surface that scatters or mirrors what is around it."""
        look = actor.GetProperty()
        look.SetInterpolationToPBR()
        look.SetMetallic(float(shine >= METAL))
        look.SetSpecular(1)
        self.roughness.append((look, ROUGH * (1 - np.sqrt(min(shine, 1.0)))))

    def view(self, rng: Generator, *, is_fronted: bool, is_low: bool = False) -> Image.Image:
        """It from some side -> RGBA with a hard edge, 384 pixels square, black where it is not.

        is_fronted: never from behind. is_low: it stands on a table, and whoever looks, before it.
        """
        for actor in self.bare:
            colour = rng.uniform(0.1, 1, 3) if rng.random() < PAINTED else GREY
            actor.GetProperty().SetDiffuseColor(*colour)
        if self.is_lit:
            self._turn(rng)
        else:
            self._light(rng)
        x0, x1, y0, y1, z0, z1 = self.renderer.ComputeVisiblePropBounds()
        is_flat = y1 - y0 < FLAT * max(x1 - x0, z1 - z0)
        centre = np.array([x0 + x1, y0 + y1, z0 + z1]) / 2
        farthest = SIDEWAYS if is_fronted else 180
        around = np.radians(rng.uniform(-farthest, farthest))
        above = np.radians(rng.uniform(*(LYING if is_flat else STANDING if is_low else ABOUT)))
        level = np.cos(above)
        towards = np.array([level * np.sin(around), np.sin(above), level * np.cos(around)])
        camera = self.renderer.GetActiveCamera()
        camera.SetViewAngle(rng.uniform(12, 40))
        camera.SetFocalPoint(*centre)
        camera.SetPosition(*(centre + towards))
        camera.SetViewUp(0, 1, 0)
        self.renderer.ResetCamera()
        self.window.Render()
        return _exposed(rng, self._pixels())

    def _turn(self, rng: Generator) -> None:
        """Another side of the place before the thing, and rougher or smoother surfaces."""
        angle = rng.uniform(0, 2 * np.pi)
        self.renderer.SetEnvironmentUp(0, 1, 0)
        self.renderer.SetEnvironmentRight(np.cos(angle), 0, np.sin(angle))
        more = rng.normal(0, ROUGHER)
        for look, roughness in self.roughness:
            look.SetRoughness(float(np.clip(roughness + more, 0.05, 1)))

    def _light(self, rng: Generator) -> None:
        """A lamp to one side, and a weaker one to the other."""
        from vtkmodules.vtkRenderingCore import vtkLight

        self.renderer.RemoveAllLights()
        side = rng.choice((-1, 1))
        for way, strength in ((side, rng.uniform(0.6, 1.0)), (-side, rng.uniform(0.2, 0.5))):
            lamp = vtkLight()
            lamp.SetLightTypeToCameraLight()
            lamp.SetPosition(way * rng.uniform(0.2, 1.5), rng.uniform(0, 1.5), 1.2)
            lamp.SetIntensity(strength)
            lamp.SetDiffuseColor(*rng.uniform(0.88, 1, 3))
            self.renderer.AddLight(lamp)

    def _pixels(self) -> np.ndarray:
        from vtkmodules.util.numpy_support import vtk_to_numpy
        from vtkmodules.vtkRenderingCore import vtkWindowToImageFilter

        reader = vtkWindowToImageFilter()
        reader.SetInput(self.window)
        reader.SetInputBufferTypeToRGBA()
        reader.ReadFrontBufferOff()
        reader.Update()
        drawn = vtk_to_numpy(reader.GetOutput().GetPointData().GetScalars())
        return np.array(drawn.reshape(SIDE, SIDE, 4)[::-1])


def _actor(part: Part) -> Any:
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkFiltersCore import vtkPolyDataNormals
    from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

    mesh = part.polygons()
    colours = (255 * np.clip(part.colours, 0, 1)).astype(np.uint8)
    mesh.GetPointData().SetScalars(numpy_to_vtk(colours, deep=True))
    normals, mapper, actor = vtkPolyDataNormals(), vtkPolyDataMapper(), vtkActor()
    normals.SetInputData(mesh)
    normals.SetFeatureAngle(CREASE)
    mapper.SetInputConnection(normals.GetOutputPort())
    actor.SetMapper(mapper)
    actor.GetProperty().SetSpecular(part.shine)
    actor.GetProperty().SetSpecularPower(20)
    return actor


def _is_bare(actor: Any) -> bool:
    """It has the grey of a program that was told no colour, and no texture."""
    colour = np.array(actor.GetProperty().GetDiffuseColor())
    is_grey = np.ptp(colour) < 0.03 and GREYS[0] < colour.mean() < GREYS[1]
    return bool(is_grey and actor.GetTexture() is None)


def _exposed(rng: Generator, pixels: np.ndarray) -> Image.Image:
    """As bright as a photographer would have it."""
    seen = pixels[..., 3] > 8
    colours = pixels[..., :3].astype(np.float32)
    bright = float(np.quantile(colours[seen], BRIGHT)) if seen.any() else 255.0
    gain = np.clip(255 * rng.uniform(0.65, 1.0) / max(bright, 1.0), 1.0, 3.0)
    colours = np.minimum(colours * gain, 255) * seen[..., None]
    drawn = np.dstack([colours, 255 * seen]).astype(np.uint8)
    return Image.fromarray(drawn, "RGBA")
