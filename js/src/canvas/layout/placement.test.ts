import { describe, expect, it } from 'vitest';
import type { Box } from '../types';
import { CARD, freePlace } from './placement';

const SEEN = { x: 0, y: 0, width: 1400, height: 800 };
const card = (x: number, y: number, height = 168): Box => ({ x, y, width: 272, height });
const around = (more: Partial<Parameters<typeof freePlace>[0]>) => ({ seen: SEEN, zones: [], cards: [], notes: [], ...more });
const isIn = (outer: Box, at: { x: number; y: number }) =>
  at.x >= outer.x && at.y >= outer.y && at.x + CARD.width <= outer.x + outer.width && at.y + CARD.height <= outer.y + outer.height;

describe('a new card', () => {
  it('is in the middle of an empty board', () => {
    expect(freePlace(around({}))).toEqual({ x: 564, y: 316 });
  });

  it('is in line with what is there, at the usual distance', () => {
    const at = freePlace(around({ cards: [card(560, 300, 260)] }));

    expect([
      { x: 560 + 284, y: 300 },
      { x: 560 - 284, y: 300 },
      { x: 560, y: 300 + 260 + 12 },
    ]).toContainEqual(at);
  });

  it('is wholly in view, not under the tools, wherever there is room', () => {
    const cards = [0, 1, 2, 3].flatMap(column => [card(column * 284, 100, 200), card(column * 284, 312, 300)]).slice(0, 7);

    const at = freePlace(around({ cards }));

    expect(isIn(SEEN, at)).toBe(true);
    expect(at).toEqual({ x: 852, y: 312 });
  });

  it('goes below all when the view is full', () => {
    const cards = [0, 1, 2, 3, 4].flatMap(column => [0, 1, 2, 3, 4].map(row => card(column * 284, row * 180)));

    const at = freePlace(around({ cards }));

    expect(at.x % 284).toBe(0);
    for (const other of cards) expect(at.x < other.x + 284 && other.x < at.x + 284 && at.y < other.y + 180 && other.y < at.y + 180).toBe(false);
  });

  it('goes below the cards of the zone that the view is about', () => {
    const zone = { x: 550, y: 0, width: 296, height: 800 };

    expect(freePlace(around({ zones: [zone], cards: [card(562, 54, 200)] }))).toEqual({ x: 562, y: 266 });
  });

  it('stays out of a zone that is full, and does not touch it', () => {
    const zone = { x: 550, y: 100, width: 296, height: 400 };

    const at = freePlace(around({ zones: [zone], cards: [card(562, 154), card(562, 334)] }));

    expect(at.x + CARD.width + 12 <= 550 || at.x >= 550 + 296 + 12 || at.y >= 512).toBe(true);
  });
});
