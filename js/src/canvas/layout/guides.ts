// Alignment while dragging: snap to edges and centres of what is near, and say the distance. Pure.

import type { Box } from '../types';
import { bottom, right } from './geometry';

export interface Guide {
  readonly axis: 'x' | 'y';
  /** The line's place on its axis, and its extent on the other, in board units. */
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

export interface Gap {
  readonly x: number;
  readonly y: number;
  readonly distance: number;
}

export interface Snap {
  readonly dx: number;
  readonly dy: number;
  readonly guides: readonly Guide[];
  readonly gaps: readonly Gap[];
}

export const NO_SNAP: Snap = { dx: 0, dy: 0, guides: [], gaps: [] };

/** Cards lie this far apart; a drag also snaps to that distance. */
const APART = 12;

interface Hit {
  readonly delta: number;
  readonly at: number;
  readonly other: Box;
}

/** Shifts that differ by less look the same: what is nearer decides. */
const SAME = 0.5;

/** The smallest shift; of equal ones that to the nearest box. */
const nearest = (candidates: readonly (readonly [number, number, Box])[], moving: Box, within: number): Hit | null => {
  let hit: (Hit & { readonly distance: number }) | null = null;
  for (const [mine, theirs, other] of candidates) {
    const delta = theirs - mine;
    if (Math.abs(delta) > within) continue;
    const gain = hit === null ? Infinity : Math.abs(hit.delta) - Math.abs(delta);
    const distance = distanceOf(moving, other);
    if (gain > SAME || (gain > -SAME && distance < (hit?.distance ?? Infinity))) hit = { delta, at: theirs, other, distance };
  }
  return hit;
};

/** How far a thing may be, in screen pixels, and still guide: what is further is not what a person lines up with. */
export const REACH_PX = 240;
const MOST = 60;

const distanceOf = (a: Box, b: Box): number => Math.max(0, b.x - right(a), a.x - right(b)) + Math.max(0, b.y - bottom(a), a.y - bottom(b));

/** The nearest boxes within reach. */
export const nearby = (boxes: readonly Box[], to: Box, reach: number): Box[] =>
  boxes
    .map(box => ({ box, distance: distanceOf(to, box) }))
    .filter(near => near.distance <= reach)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, MOST)
    .map(near => near.box);

/** `within` is in board units: 6 px on the screen. `others` are the boxes in view that do not move. */
export const snap = (moving: Box, others: readonly Box[], within: number): Snap => {
  const xs: (readonly [number, number, Box])[] = [];
  const ys: (readonly [number, number, Box])[] = [];
  for (const other of others) {
    xs.push([moving.x, other.x, other], [right(moving), right(other), other], [moving.x + moving.width / 2, other.x + other.width / 2, other]);
    xs.push([moving.x, right(other) + APART, other], [right(moving), other.x - APART, other]);
    ys.push([moving.y, other.y, other], [bottom(moving), bottom(other), other], [moving.y + moving.height / 2, other.y + other.height / 2, other]);
    ys.push([moving.y, bottom(other) + APART, other], [bottom(moving), other.y - APART, other]);
  }
  const x = nearest(xs, moving, within);
  const y = nearest(ys, moving, within);
  const dx = x?.delta ?? 0;
  const dy = y?.delta ?? 0;
  const placed: Box = { ...moving, x: moving.x + dx, y: moving.y + dy };
  const guides: Guide[] = [];
  const gaps: Gap[] = [];
  if (x) guides.push({ axis: 'x', at: x.at, from: Math.min(placed.y, x.other.y), to: Math.max(bottom(placed), bottom(x.other)) });
  if (y) guides.push({ axis: 'y', at: y.at, from: Math.min(placed.x, y.other.x), to: Math.max(right(placed), right(y.other)) });
  for (const other of new Set([x?.other, y?.other])) if (other) gaps.push(...gapsTo(placed, other));
  return { dx, dy, guides, gaps };
};

const gapsTo = (a: Box, b: Box): Gap[] => {
  const gaps: Gap[] = [];
  const overlapX = Math.min(right(a), right(b)) - Math.max(a.x, b.x);
  const overlapY = Math.min(bottom(a), bottom(b)) - Math.max(a.y, b.y);
  if (overlapX > 0 && overlapY < 0) {
    const [above, below] = a.y < b.y ? [a, b] : [b, a];
    gaps.push({ x: Math.max(a.x, b.x) + overlapX / 2, y: (bottom(above) + below.y) / 2, distance: Math.round(-overlapY) });
  }
  if (overlapY > 0 && overlapX < 0) {
    const [before, after] = a.x < b.x ? [a, b] : [b, a];
    gaps.push({ x: (right(before) + after.x) / 2, y: Math.max(a.y, b.y) + overlapY / 2, distance: Math.round(-overlapX) });
  }
  return gaps;
};
