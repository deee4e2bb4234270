import { beforeEach, describe, expect, it, vi } from 'vitest';
import { encloses } from '../layout/geometry';
import type { Box, Camera } from '../types';
import { visibleBox } from './camera';
import { Viewpoint } from './viewpoint';

const BOARD = { x: 0, y: 0, width: 1200, height: 700 };

/** Where flights end at once, as for those who asked for less motion. */
beforeEach(() => vi.stubGlobal('matchMedia', () => ({ matches: true })));

const open = ({ isCell = false, bounds = BOARD as Box | null, width = 1440, height = 800 } = {}) => {
  const scene = { camera: { x: 0, y: 0, zoom: 1 } as Camera, size: { width, height }, bounds: () => bounds };
  const view = new Viewpoint(scene, isCell, () => undefined);
  view.changed();
  const resize = (to: { width: number; height: number }): void => {
    const before = scene.size;
    scene.size = to;
    view.resized(before);
  };
  const sees = (box: Box): boolean => encloses(visibleBox(scene.camera, scene.size), box);
  return { scene, view, resize, sees };
};

describe('the view', () => {
  it('shows all of the board, at any size', () => {
    const { resize, sees } = open();
    const sizes = [
      { width: 700, height: 480 },
      { width: 400, height: 300 },
      { width: 1920, height: 1080 },
    ];

    expect(sees(BOARD)).toBe(true);
    for (const size of sizes) {
      resize(size);
      expect(sees(BOARD)).toBe(true);
    }
  });

  it('keeps its middle for a person who moved it, and comes back with the size', () => {
    const { scene, view, resize } = open();
    view.move({ x: -300, y: -40, zoom: 0.8 });
    const middle = () => ({
      x: (scene.size.width / 2 - scene.camera.x) / scene.camera.zoom,
      y: (scene.size.height / 2 - scene.camera.y) / scene.camera.zoom,
    });
    const before = { camera: scene.camera, middle: middle() };

    resize({ width: 700, height: 480 });

    expect(middle()).toEqual(before.middle);
    resize({ width: 1440, height: 800 });
    expect(scene.camera).toEqual(before.camera);
  });

  it('fills a full screen from a cell, and is as before when that is over', () => {
    const { scene, view, resize, sees } = open({ isCell: true, bounds: { x: 0, y: 0, width: 4000, height: 2000 }, width: 900, height: 480 });
    const inCell = scene.camera;

    view.isCell = false;
    resize({ width: 1920, height: 1000 });

    expect(inCell.zoom).toBe(0.5);
    expect(sees({ x: 0, y: 0, width: 4000, height: 2000 })).toBe(true);
    view.isCell = true;
    resize({ width: 900, height: 480 });
    expect(scene.camera).toEqual(inCell);
  });

  it('learns of another host after the size', () => {
    const { scene, view, resize } = open({ isCell: true, bounds: { x: 0, y: 0, width: 4000, height: 2000 }, width: 900, height: 480 });
    const inCell = scene.camera;
    view.isCell = false;
    resize({ width: 1920, height: 1000 });

    resize({ width: 900, height: 480 });
    view.isCell = true;
    view.settle();

    expect(scene.camera).toEqual(inCell);
  });

  it('makes room for a panel as little as it can, and takes it back', () => {
    const { scene, view, resize, sees } = open();
    view.move({ x: 20, y: 30, zoom: 1 });
    const before = scene.camera;
    const card = { x: 1000, y: 100, width: 272, height: 168 };

    view.hasPanel = true;
    resize({ width: 920, height: 800 });
    expect(scene.camera).toEqual(before);
    view.opened(card);
    expect(sees(card)).toBe(true);
    view.hasPanel = false;
    scene.size = { width: 1440, height: 800 };
    view.closed(card);

    expect(scene.camera).toEqual(before);
  });

  it('does not take back where a person went meanwhile', () => {
    const { scene, view } = open();
    view.hasPanel = true;
    scene.size = { width: 920, height: 800 };
    view.opened({ x: 2000, y: 100, width: 272, height: 168 });
    view.move({ x: -900, y: 0, zoom: 1 });

    view.hasPanel = false;
    view.closed(null);

    expect(scene.camera).toEqual({ x: -900, y: 0, zoom: 1 });
  });

  it('goes on flying back when the card that it will show gets the focus', () => {
    vi.stubGlobal('matchMedia', () => ({ matches: false }));
    let frame: FrameRequestCallback | null = null;
    vi.stubGlobal('requestAnimationFrame', (step: FrameRequestCallback) => {
      frame = step;
      return 1;
    });
    vi.stubGlobal('cancelAnimationFrame', () => (frame = null));
    const { scene, view } = open();
    const home = scene.camera;
    view.go({ ...home, x: home.x - 700 });
    scene.camera = view.aim;
    view.fit();

    view.focus({ x: 900, y: 60, width: 200, height: 90 });

    expect(frame).not.toBeNull();
    expect(view.aim).toEqual(home);
    vi.unstubAllGlobals();
  });

  it('goes back to where it was flying when a panel opened on the way, and moves until then', () => {
    vi.stubGlobal('matchMedia', () => ({ matches: false }));
    vi.stubGlobal('requestAnimationFrame', () => 1);
    vi.stubGlobal('cancelAnimationFrame', () => undefined);
    const { view } = open();
    const goal = { x: 0, y: 0, zoom: 1 };

    view.go(goal);
    expect(view.isFlying).toBe(true);
    view.opened({ x: 3000, y: 100, width: 272, height: 168 });
    expect(view.aim).not.toEqual(goal);
    view.closed(null);

    expect(view.aim).toEqual(goal);
    vi.unstubAllGlobals();
  });

  it('keeps what has the focus in view when the panel closes', () => {
    const { scene, view, sees } = open();
    view.move({ x: 0, y: 0, zoom: 1 });
    const far = { x: 3000, y: 100, width: 272, height: 168 };
    view.hasPanel = true;
    scene.size = { width: 920, height: 800 };
    view.opened(far);

    view.hasPanel = false;
    scene.size = { width: 1440, height: 800 };
    view.closed(far);

    expect(sees(far)).toBe(true);
  });

  it('shows all again after a panel, when it did before', () => {
    const { scene, view } = open();
    const home = scene.camera;
    view.hasPanel = true;
    scene.size = { width: 920, height: 800 };
    view.opened({ x: 928, y: 500, width: 272, height: 168 });

    view.hasPanel = false;
    scene.size = { width: 1440, height: 800 };
    view.closed(null);

    expect(scene.camera).toEqual(home);
  });
});
