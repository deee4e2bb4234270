// Where the view looks. Pure: screen = board × zoom + (x, y).
import type { Box, Camera, Point } from '../types';

export const MIN_ZOOM = 0.05;
export const MAX_ZOOM = 2;

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const clampZoom = (zoom: number): number => Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, Number.isFinite(zoom) ? zoom : 1));

export const toBoard = (camera: Camera, point: Point): Point => ({ x: (point.x - camera.x) / camera.zoom, y: (point.y - camera.y) / camera.zoom });

export const toScreen = (camera: Camera, point: Point): Point => ({ x: point.x * camera.zoom + camera.x, y: point.y * camera.zoom + camera.y });

export const boxToScreen = (camera: Camera, box: Box): Box => ({
  ...toScreen(camera, box),
  width: box.width * camera.zoom,
  height: box.height * camera.zoom,
});

/** What of the board is seen. */
export const visibleBox = (camera: Camera, size: Size): Box => ({
  ...toBoard(camera, { x: 0, y: 0 }),
  width: size.width / camera.zoom,
  height: size.height / camera.zoom,
});

export const panBy = (camera: Camera, dx: number, dy: number): Camera => ({ ...camera, x: camera.x + dx, y: camera.y + dy });

/** Zooms so that the board's point under `at` (on the screen) stays there. */
export const zoomAt = (camera: Camera, at: Point, zoom: number): Camera => {
  const next = clampZoom(zoom);
  const point = toBoard(camera, at);
  return { zoom: next, x: at.x - point.x * next, y: at.y - point.y * next };
};

/** Shows the whole of `box`, at 100 % at most, as large as the margins allow. */
export const fit = (box: Box, size: Size, margin = { top: 40, right: 40, bottom: 88, left: 40 }): Camera => {
  const width = Math.max(80, size.width - margin.left - margin.right);
  const height = Math.max(80, size.height - margin.top - margin.bottom);
  const zoom = Math.min(1, clampZoom(Math.min(width / Math.max(1, box.width), height / Math.max(1, box.height))));
  return {
    zoom,
    x: margin.left + (width - box.width * zoom) / 2 - box.x * zoom,
    y: margin.top + (height - box.height * zoom) / 2 - box.y * zoom,
  };
};

/** The least pan that brings `box` into view; the same camera when it is there already. */
export const reveal = (camera: Camera, box: Box, size: Size, margin = 24): Camera => {
  const seen = {
    x: box.x * camera.zoom + camera.x,
    y: box.y * camera.zoom + camera.y,
    width: box.width * camera.zoom,
    height: box.height * camera.zoom,
  };
  const shift = (start: number, length: number, room: number): number =>
    start < margin ? margin - start : start + length > room - margin ? Math.max(room - margin - length, margin) - start : 0;
  const dx = shift(seen.x, seen.width, size.width);
  const dy = shift(seen.y, seen.height, size.height);
  return dx === 0 && dy === 0 ? camera : panBy(camera, dx, dy);
};
