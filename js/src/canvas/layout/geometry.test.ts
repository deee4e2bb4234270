import { describe, expect, it } from 'vitest';

import { fit, reveal, toBoard, toScreen, visibleBox, zoomAt } from '../camera/camera';
import { detailAt, isSmallAt, linesAt, typeZoom, zoneHeadAt } from '../camera/lod';
import { actionOf } from '../input/keyboard';
import { neighbour, readingOrder, zoneOf } from './geometry';
import { Grid } from './grid';
import { nearby, REACH_PX, snap } from './guides';

const box = (x: number, y: number, width = 272, height = 168) => ({ x, y, width, height });

describe('camera', () => {
  it('zooms to the pointer: the point under it stays', () => {
    const camera = { x: 30, y: -12, zoom: 0.8 };
    const at = { x: 400, y: 250 };

    const next = zoomAt(camera, at, 1.6);

    expect(toScreen(next, toBoard(camera, at)).x).toBeCloseTo(at.x);
    expect(toScreen(next, toBoard(camera, at)).y).toBeCloseTo(at.y);
  });

  it('keeps to its limits whatever it is asked', () => {
    expect(zoomAt({ x: 0, y: 0, zoom: 1 }, { x: 0, y: 0 }, Number.NaN).zoom).toBe(1);
    expect(zoomAt({ x: 0, y: 0, zoom: 1 }, { x: 0, y: 0 }, 1e9).zoom).toBe(2);
    expect(zoomAt({ x: 0, y: 0, zoom: 1 }, { x: 0, y: 0 }, 0).zoom).toBe(0.05);
  });

  it('fits a board into the view, never larger than life', () => {
    const size = { width: 1000, height: 600 };
    const all = box(-500, -500, 4000, 3000);

    const camera = fit(all, size);
    const seen = visibleBox(camera, size);

    expect(seen.x).toBeLessThanOrEqual(all.x);
    expect(seen.x + seen.width).toBeGreaterThanOrEqual(3500);
    expect(fit(box(0, 0, 10, 10), size).zoom).toBe(1);
  });

  it('moves only as far as needed to show a thing', () => {
    const size = { width: 800, height: 600 };
    const camera = { x: 0, y: 0, zoom: 1 };

    expect(reveal(camera, box(100, 100), size)).toBe(camera);
    expect(reveal(camera, box(700, 100), size).x).toBe(800 - 24 - 972);
  });
});

describe('grid', () => {
  it('finds what a box touches, and forgets what moved away', () => {
    const grid = new Grid(360);
    for (let i = 0; i < 100; i++) grid.put(`c${i}`, box((i % 10) * 1000, Math.floor(i / 10) * 1000));

    expect([...grid.query(box(0, 0, 300, 300))]).toEqual(['c0']);

    grid.put('c0', box(5000, 5000));

    expect(grid.query(box(0, 0, 300, 300)).size).toBe(0);
    expect(grid.query(box(5000, 5000)).has('c0')).toBe(true);
  });

  it('finds a thing that covers everything', () => {
    const grid = new Grid(360);
    grid.put('zone', box(-100_000, -100_000, 200_000, 200_000));

    expect(grid.query(box(0, 0)).has('zone')).toBe(true);
  });
});

describe('reading order and neighbours', () => {
  const zones = [
    { id: 'right', box: box(400, 0, 296, 600) },
    { id: 'left', box: box(0, 0, 296, 600) },
  ];

  it('goes zone by zone, then to what lies in none', () => {
    const things = [
      { id: 'free', box: box(0, 900) },
      { id: 'b', box: box(12, 300) },
      { id: 'c', box: box(412, 60) },
      { id: 'a', box: box(12, 60) },
    ];

    expect(readingOrder(zones, things)).toEqual(['left', 'a', 'b', 'right', 'c', 'free']);
  });

  it('takes the smallest zone that holds the middle', () => {
    expect(zoneOf(box(12, 60), [...zones, { id: 'inner', box: box(10, 50, 290, 200) }])).toBe('inner');
    expect(zoneOf(box(2000, 60), zones)).toBe(null);
  });

  it('finds the nearest card in a direction', () => {
    const things = [
      { id: 'below', box: box(0, 300) },
      { id: 'far', box: box(0, 900) },
      { id: 'beside', box: box(400, 20) },
    ];

    expect(neighbour(box(0, 0), 'down', things)).toBe('below');
    expect(neighbour(box(0, 0), 'right', things)).toBe('beside');
    expect(neighbour(box(0, 0), 'up', things)).toBe(null);
  });
});

describe('guides', () => {
  it('snaps to an edge within reach and says the distance', () => {
    const found = snap(box(4, 183), [box(0, 0)], 6);

    expect(found.dx).toBe(-4);
    expect(found.dy).toBe(-3);
    expect(found.gaps.map(gap => gap.distance)).toEqual([12]);
  });

  it('leaves alone what is not near', () => {
    expect(snap(box(50, 400), [box(0, 0)], 6)).toEqual({ dx: 0, dy: 0, guides: [], gaps: [] });
  });
});

describe('what guides a drag', () => {
  it('is what is near on the screen, not a note on the other side of the board', () => {
    const note = { x: 4, y: 168 + 404, width: 200, height: 120 };

    expect(nearby([note], box(0, 0), REACH_PX)).toEqual([]);
    expect(nearby([note], box(0, 0), REACH_PX / 0.5)).toEqual([note]);
  });

  it('is the nearest of those that line up alike', () => {
    const [guide] = snap(box(3, 400), [box(0, 0), box(0, 200)], 6).guides;

    expect(guide).toMatchObject({ axis: 'x', at: 0, from: 200 });
  });

  it('is a smaller shift before a nearer thing', () => {
    expect(snap(box(4, 400), [box(0, 200), box(5, 0)], 6).dx).toBe(1);
  });
});

describe('levels of detail', () => {
  it('change where the design says', () => {
    expect([1, 0.7, 0.69, 0.35, 0.34, 0.05].map(detailAt)).toEqual(['full', 'full', 'compact', 'compact', 'tile', 'tile']);
    expect([1, 0.7, 0.3].map(zoneHeadAt)).toEqual(['full', 'name', 'above']);
  });

  it('give a compact card two lines, 52 px, wherever its place is as high', () => {
    expect(linesAt(125, 0.61)).toBeGreaterThanOrEqual(2);
    expect(linesAt(168, 0.46)).toBeGreaterThanOrEqual(2);
    expect(linesAt(125, 0.35)).toBe(2);
    expect([0.35, 0.53, 0.61].map(isSmallAt)).toEqual([true, true, false]);
  });

  it('never draw a compact card beyond its place', () => {
    for (const type of [0.35, 0.4, 0.46, 0.53, 0.61]) {
      const [line, margins] = isSmallAt(type) ? [14, 10] : [16, 20];
      for (let height = 100; height < 900; height += 7) expect((linesAt(height, type) * line + margins) / type).toBeLessThanOrEqual(height + 2);
    }
  });

  it('never draw text smaller than 11 px on the screen', () => {
    for (let zoom = 0.35; zoom <= 2; zoom += 0.01) expect(Math.max(11, 11 / typeZoom(zoom)) * zoom).toBeGreaterThan(10.99);
  });
});

describe('keys', () => {
  const key = (name: string, more: object = {}) => ({ key: name, code: '', shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...more });

  it('mean what the key table says', () => {
    expect(actionOf(key('z'))).toEqual({ do: 'tool', tool: 'zone' });
    expect(actionOf(key('z', { ctrlKey: true }))).toEqual({ do: 'undo' });
    expect(actionOf(key('Z', { ctrlKey: true, shiftKey: true }))).toEqual({ do: 'redo' });
    expect(actionOf(key('!', { shiftKey: true, code: 'Digit1' }))).toEqual({ do: 'fit' });
    expect(actionOf(key('1', { code: 'Digit1' }))).toEqual({ do: 'answer', with: 'allow_once' });
    expect(actionOf(key('ArrowUp', { shiftKey: true }))).toEqual({ do: 'arrow', direction: 'up', by: 20 });
  });

  it('leave to the page what is the page’s', () => {
    expect(actionOf(key('s', { ctrlKey: true }))).toBe(null);
    expect(actionOf(key('Tab', { altKey: true }))).toBe(null);
  });
});
