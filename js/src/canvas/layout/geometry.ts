// Boxes and points in board units. Pure; knows no DOM.
import type { Box, Point } from '../types';

export const right = (box: Box): number => box.x + box.width;
export const bottom = (box: Box): number => box.y + box.height;
export const center = (box: Box): Point => ({ x: box.x + box.width / 2, y: box.y + box.height / 2 });

export const contains = (box: Box, point: Point): boolean => point.x >= box.x && point.x <= right(box) && point.y >= box.y && point.y <= bottom(box);

export const intersects = (a: Box, b: Box): boolean => a.x <= right(b) && right(a) >= b.x && a.y <= bottom(b) && bottom(a) >= b.y;

export const encloses = (outer: Box, inner: Box): boolean =>
  inner.x >= outer.x && inner.y >= outer.y && right(inner) <= right(outer) && bottom(inner) <= bottom(outer);

export const grow = (box: Box, by: number): Box => ({ x: box.x - by, y: box.y - by, width: box.width + 2 * by, height: box.height + 2 * by });

export const between = (a: Point, b: Point): Box => ({
  x: Math.min(a.x, b.x),
  y: Math.min(a.y, b.y),
  width: Math.abs(a.x - b.x),
  height: Math.abs(a.y - b.y),
});

/** The smallest box around all, or `null` when there are none. */
export const union = (boxes: Iterable<Box>): Box | null => {
  let x0 = Infinity;
  let y0 = Infinity;
  let x1 = -Infinity;
  let y1 = -Infinity;
  for (const box of boxes) {
    x0 = Math.min(x0, box.x);
    y0 = Math.min(y0, box.y);
    x1 = Math.max(x1, right(box));
    y1 = Math.max(y1, bottom(box));
  }
  return x0 === Infinity ? null : { x: x0, y: y0, width: x1 - x0, height: y1 - y0 };
};

export interface Placed {
  readonly id: string;
  readonly box: Box;
}

/** The zone a thing belongs to: the smallest one that holds its centre. */
export const zoneOf = (box: Box, zones: Iterable<Placed>): string | null => {
  const middle = center(box);
  let found: Placed | null = null;
  for (const zone of zones) {
    if (contains(zone.box, middle) && (found === null || zone.box.width * zone.box.height < found.box.width * found.box.height)) found = zone;
  }
  return found?.id ?? null;
};

/** Things whose tops differ by less are read as one row. */
const ROW = 60;

const inColumns = (a: Placed, b: Placed): number =>
  Math.abs(a.box.x - b.box.x) >= ROW ? a.box.x - b.box.x : a.box.y - b.box.y || a.box.x - b.box.x || (a.id < b.id ? -1 : 1);

const inRows = (a: Placed, b: Placed): number =>
  Math.floor(a.box.y / ROW) - Math.floor(b.box.y / ROW) || a.box.x - b.box.x || a.box.y - b.box.y || (a.id < b.id ? -1 : 1);

/**
 * Reading order: zone by zone from left to right (rows of zones from above), in each zone column by column, then what lies in no zone.
 *
 * Zones themselves are in the order, before their things.
 */
export const readingOrder = (zones: readonly Placed[], things: readonly Placed[]): string[] => {
  const members = new Map<string | null, Placed[]>();
  for (const thing of things) {
    const zone = zoneOf(thing.box, zones);
    const group = members.get(zone);
    if (group) group.push(thing);
    else members.set(zone, [thing]);
  }
  const order: string[] = [];
  for (const zone of [...zones].sort(inRows)) {
    order.push(zone.id);
    for (const thing of (members.get(zone.id) ?? []).sort(inColumns)) order.push(thing.id);
  }
  for (const thing of (members.get(null) ?? []).sort(inRows)) order.push(thing.id);
  return order;
};

export type Direction = 'left' | 'right' | 'up' | 'down';

/** The nearest thing in a direction: within the 45° cone first, distance decides. `null`: there is none. */
export const neighbour = (from: Box, direction: Direction, things: Iterable<Placed>): string | null => {
  const a = center(from);
  let best: string | null = null;
  let least = Infinity;
  for (const thing of things) {
    const b = center(thing.box);
    const dx = b.x - a.x;
    const dy = b.y - a.y;
    const ahead = direction === 'left' ? -dx : direction === 'right' ? dx : direction === 'up' ? -dy : dy;
    const aside = Math.abs(direction === 'left' || direction === 'right' ? dy : dx);
    if (ahead <= 1) continue;
    const cost = ahead + aside * (aside > ahead ? 4 : 2);
    if (cost < least) {
      least = cost;
      best = thing.id;
    }
  }
  return best;
};
