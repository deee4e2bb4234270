import { describe, expect, it } from 'vitest';
import type { Thing } from './settle';
import { columnsOf, settle } from './settle';

const card = (x: number, y: number, zone = -1): Thing => ({ isContainer: false, isStacked: true, x, y, width: 272, height: 168, zone });
const note = (x: number, y: number): Thing => ({ isContainer: false, isStacked: false, x, y, width: 200, height: 120, zone: -1 });
const zone = (x: number, y: number, height = 560): Thing => ({ isContainer: true, isStacked: false, x, y, width: 296, height, zone: -1 });

const settled = (things: readonly Thing[], heights: Readonly<Record<number, number>> = {}) =>
  settle(
    things,
    columnsOf(things),
    things.map((thing, i) => heights[i] ?? thing.height),
  );

describe('room for cards that grew', () => {
  it('moves down what lies below, through a whole column', () => {
    const things = [card(0, 0), card(0, 180), card(0, 360), card(400, 180)];

    expect(settled(things, { 0: 260 }).offsets).toEqual([0, 92, 92, 0]);
  });

  it('keeps cards apart that lie nearer than that', () => {
    expect(settled([card(0, 0), card(0, 172)]).offsets).toEqual([0, 8]);
    expect(settled([card(0, 0), card(6, 172)]).offsets).toEqual([0, 8]);
  });

  it('leaves alone what was laid on another, and what lies beside it', () => {
    const things = [card(0, 0), card(20, 40), card(280, 60)];

    expect(settled(things, { 0: 300, 1: 300 }).offsets).toEqual([0, 0, 0]);
  });

  it('moves a note that a card would grow over, and not one that lies on it', () => {
    expect(settled([card(0, 0), note(20, 200)], { 0: 260 }).offsets).toEqual([0, 72]);
    expect(settled([card(0, 0), note(20, 120)], { 0: 260 }).offsets).toEqual([0, 0]);
  });
});

describe('a zone that grows', () => {
  it('holds what grew in it, and keeps its distance from what lies below', () => {
    const things = [zone(0, 0, 200), card(12, 54, 0), card(12, 260)];

    const { offsets, heights } = settled(things, { 1: 300 });

    expect(heights[0]).toBe(366);
    expect(offsets).toEqual([0, 0, 366 + 12 - 260]);
  });

  it('moves a zone below it with all that is in that', () => {
    const things = [zone(0, 0, 200), card(12, 54, 0), zone(0, 220), card(12, 274, 2), card(12, 454, 2)];

    const { offsets } = settled(things, { 1: 300, 3: 200 });

    expect(offsets[2]).toBe(366 + 12 - 220);
    expect(offsets[3]).toBe(offsets[2]);
    expect(offsets[4]).toBe((offsets[2] ?? 0) + 32);
  });

  it('leaves zones that were drawn edge to edge where they are', () => {
    const things = [zone(0, 0, 200), zone(0, 200), zone(296, 0, 760), card(308, 800)];

    expect(settled(things).offsets).toEqual([0, 0, 0, 0]);
  });

  it('does not push what lies in another zone beside it', () => {
    const things = [zone(0, 0, 200), card(12, 54, 0), zone(308, 0), card(320, 300, 2)];

    expect(settled(things, { 1: 800 }).offsets).toEqual([0, 0, 0, 0]);
  });
});

describe('any board', () => {
  it('shows no card over another that did not lie on it', () => {
    let seed = 7;
    const dice = (n: number): number => (seed = (seed * 16807) % 2147483647) % n;
    for (let run = 0; run < 50; run++) {
      const things: Thing[] = [];
      for (let column = 0; column < 4; column++) for (let row = 0; row < 6; row++) things.push(card(column * 284 + dice(12), row * 180 + dice(60)));
      const { offsets, heights } = settled(things, Object.fromEntries(things.map((_, i) => [i, 100 + dice(400)])));
      const boxes = things.map((thing, i) => ({
        x: thing.x,
        y: thing.y,
        top: thing.y + (offsets[i] ?? 0),
        end: thing.y + (offsets[i] ?? 0) + (heights[i] ?? 0),
      }));
      for (const a of boxes)
        for (const b of boxes) if (Math.abs(a.x - b.x) < 190 && b.y - a.y >= 100) expect(b.top).toBeGreaterThanOrEqual(a.end + 11.4);
    }
  });

  it('of thousands is settled in a moment', () => {
    const things = [
      ...Array.from({ length: 6000 }, (_, i) => card((i % 60) * 284, Math.floor(i / 60) * 180)),
      ...Array.from({ length: 300 }, (_, i) => zone(i * 300, 30_000)),
    ];
    const begin = performance.now();

    const columns = columnsOf(things);
    for (let i = 0; i < 10; i++)
      settle(
        things,
        columns,
        things.map(thing => thing.height + i),
      );

    expect(performance.now() - begin).toBeLessThan(1500);
  });
});
