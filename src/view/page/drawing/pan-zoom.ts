import type { Point } from './rectangle.js';

/** How a picture lies on the screen: a point of the picture is shown at `x + scale * px`, `y + scale * py`. */
export interface View {
  /** CSS pixels a pixel of the picture. */
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

/** A width and a height, in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The largest magnification, in CSS pixels a pixel of the picture. */
const MAX_SCALE = 40;

/** Returns the view that shows a part of a picture whole and centered, with a margin around it in CSS pixels. */
export function fitPart(
  part: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  screen: Size,
  margin: number,
): View {
  const scale = Math.min(
    Math.max(1, screen.width - 2 * margin) / Math.max(1, part.width),
    Math.max(1, screen.height - 2 * margin) / Math.max(1, part.height),
    MAX_SCALE,
  );
  return {
    scale,
    x: screen.width / 2 - scale * (part.x + part.width / 2),
    y: screen.height / 2 - scale * (part.y + part.height / 2),
  };
}

/** Magnifies by a factor about a point of the screen, which keeps its place; not beyond limits that depend on the picture. */
export function zoomAbout(view: View, point: Point, factor: number, picture: Size, screen: Size): View {
  const least = 0.5 * Math.min(screen.width / picture.width, screen.height / picture.height, 1);
  const scale = Math.min(MAX_SCALE, Math.max(least, view.scale * factor));
  const ratio = scale / view.scale;
  return keepVisible(
    { scale, x: point.x - ratio * (point.x - view.x), y: point.y - ratio * (point.y - view.y) },
    picture,
    screen,
  );
}

/** Moves a view by CSS pixels. */
export function panBy(view: View, dx: number, dy: number, picture: Size, screen: Size): View {
  return keepVisible({ ...view, x: view.x + dx, y: view.y + dy }, picture, screen);
}

/** Keeps a part of the picture on the screen. */
function keepVisible(view: View, picture: Size, screen: Size): View {
  const keep = 48;
  return {
    scale: view.scale,
    x: Math.min(screen.width - keep, Math.max(keep - view.scale * picture.width, view.x)),
    y: Math.min(screen.height - keep, Math.max(keep - view.scale * picture.height, view.y)),
  };
}
