// Where zones say their names when they are too small to hold them: above their edge, at one size, each beside the others. Pure.
import type { Box } from '../types';

/** What fits of a name: with the number of cards, or alone. */
export interface Label {
  readonly hasCount: boolean;
  /** How many lines above the edge; 0 is next to it. */
  readonly level: number;
  readonly width: number;
}

export interface Named {
  readonly id: string;
  readonly box: Box;
  /** How wide its name is drawn. */
  readonly text: number;
}

/** In screen pixels. */
export const LINE = 22;
const COUNT = 34;
const PADDING = 14;
const WIDEST = 200;
const APART = 4;
/** More lines than this would say more of the names than of the board: the rest is told on hovering. */
const LEVELS = 4;

/** A label for each zone that has room for one; `null` for one that has none. From the left, and of one place the upper first. */
export const labelsOf = (zones: readonly Named[], zoom: number): Map<string, Label | null> => {
  const labels = new Map<string, Label | null>();
  const taken: Box[] = [];
  const sorted = [...zones].sort((a, b) => a.box.x - b.box.x || a.box.y - b.box.y || (a.id < b.id ? -1 : 1));
  for (const [i, zone] of sorted.entries()) {
    const left = zone.box.x * zoom;
    const bottom = zone.box.y * zoom;
    const name = Math.min(WIDEST, Math.ceil(zone.text) + PADDING);
    // Up to where the next name begins, if it can: so names of a row stay in one line as long as possible.
    let next = i + 1;
    while (next < sorted.length && !isBeside(zone, sorted[next], zoom)) next++;
    const room = (sorted[next]?.box.x ?? Infinity) * zoom - left - APART;
    const hasCount = name + COUNT <= Math.max(room, zone.box.width * zoom);
    const width = name + (hasCount ? COUNT : 0);
    let found: Label | null = null;
    for (let level = 0; level < LEVELS && !found; level++) {
      const box = { x: left, y: bottom - LINE * (level + 1), width, height: LINE };
      if (isTaken(box, taken)) continue;
      taken.push(box);
      found = { hasCount, level, width };
    }
    labels.set(zone.id, found);
  }
  return labels;
};

const isBeside = (a: Named, b: Named | undefined, zoom: number): boolean =>
  b !== undefined && b.box.x > a.box.x && Math.abs(b.box.y - a.box.y) * zoom < LINE;

/** They are taken from the left: what begins far to the left ends before. */
const isTaken = (box: Box, taken: readonly Box[]): boolean => {
  for (let i = taken.length - 1; i >= 0; i--) {
    const other = taken[i];
    if (!other || other.x < box.x - WIDEST - COUNT - APART) return false;
    if (collide(box, other)) return true;
  }
  return false;
};

const collide = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width + APART && b.x < a.x + a.width + APART && a.y < b.y + b.height - 1 && b.y < a.y + a.height - 1;
