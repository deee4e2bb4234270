// Where a new card goes: a free place in view, in line with what is there. The server keeps to it as long as it stays free. Pure.

import type { Box, Point } from '../types';
import { bottom, center, contains, right } from './geometry';

export const CARD = { width: 272, height: 168 };
const APART = 12;
/** What lies nearer to the middle of the view matters; the rest is far away from where a person looks. */
const MOST = 60;

export interface Surroundings {
  /** What is seen of the board, without what lies under the tools. */
  readonly seen: Box;
  readonly zones: readonly Box[];
  readonly cards: readonly Box[];
  readonly notes: readonly Box[];
}

const HEAD = 54;

/** The upper left corner of a free place: the nearest to the middle of the view that is wholly in view, if there is one. */
export const freePlace = ({ seen, zones, cards, notes }: Surroundings): Point => {
  const middle = center(seen);
  const distance = (box: Box): number => Math.hypot(center(box).x - middle.x, center(box).y - middle.y);
  const near = <T extends Box>(boxes: readonly T[]): T[] => [...boxes].sort((a, b) => distance(a) - distance(b)).slice(0, MOST);
  const zone = zones.filter(one => contains(one, middle)).sort((a, b) => a.width * a.height - b.width * b.height)[0];
  const others = near(cards).map(card => ({ ...card, height: Math.max(card.height, CARD.height) }));
  const taken = [...others, ...near(notes)];
  const inside = zone ? within(zone, others) : null;
  const found = inside && best(grid(inside.xs, inside.ys), taken, box => box.y + CARD.height / 2 <= bottom(zone ?? box), seen, middle);
  if (found) return found;

  const free = others.filter(card => !zones.some(one => contains(one, center(card))));
  const walls = [...taken, ...zones];
  const lined = [
    ...grid(
      free.map(card => card.x),
      free.map(card => card.y),
    ),
    ...[...free, ...near(zones)].flatMap(box => [
      { x: right(box) + APART, y: box.y },
      { x: box.x - CARD.width - APART, y: box.y },
      { x: box.x, y: bottom(box) + APART },
    ]),
  ];
  const at = { x: Math.round(middle.x - CARD.width / 2), y: Math.round(middle.y - CARD.height / 2) };
  const anywhere = (): boolean => true;
  return (
    best(lined, walls, anywhere, seen, middle) ??
    // Nothing near to line up with.
    best([at, ...around(at)], walls, anywhere, seen, middle) ??
    best(lined, walls, anywhere, null, middle) ??
    at
  );
};

const grid = (xs: readonly number[], ys: readonly number[]): Point[] => [...new Set(xs)].flatMap(x => [...new Set(ys)].map(y => ({ x, y })));

/** Places beside this one, further and further away. */
const around = ({ x, y }: Point): Point[] =>
  [1, 2, 3].flatMap(step =>
    [-1, 0, 1].flatMap(i => [-1, 0, 1].map(j => ({ x: x + (i * step * CARD.width) / 2, y: y + (j * step * CARD.height) / 2 }))),
  );

/** The columns of a zone, and below each card of it. */
const within = (zone: Box, cards: readonly Box[]): { xs: number[]; ys: number[] } => {
  const mine = cards.filter(card => contains(zone, center({ ...card, height: CARD.height })));
  const xs = [zone.x + APART, ...mine.map(card => card.x)];
  for (let x = zone.x + APART; x + CARD.width + APART <= right(zone); x += CARD.width + APART) xs.push(x);
  return { xs, ys: [zone.y + HEAD, ...mine.map(card => bottom(card) + APART)] };
};

const best = (places: readonly Point[], taken: readonly Box[], fits: (box: Box) => boolean, seen: Box | null, middle: Point): Point | null => {
  let found: Point | null = null;
  let least = Infinity;
  for (const place of places) {
    const box = { x: Math.round(place.x), y: Math.round(place.y), ...CARD };
    const far = Math.hypot(box.x + CARD.width / 2 - middle.x, box.y + CARD.height / 2 - middle.y);
    if (far >= least || (seen && !holds(seen, box)) || !fits(box) || taken.some(other => isNear(box, other))) continue;
    found = { x: box.x, y: box.y };
    least = far;
  }
  return found;
};

const holds = (outer: Box, box: Box): boolean => box.x >= outer.x && box.y >= outer.y && right(box) <= right(outer) && bottom(box) <= bottom(outer);

const isNear = (a: Box, b: Box): boolean => a.x < right(b) + APART && b.x < right(a) + APART && a.y < bottom(b) + APART && b.y < bottom(a) + APART;
