// Levels of detail: what is drawn of a thing at a zoom, and how large text must be in board units to be read.
import type { Detail } from '../types';

export const FULL_FROM = 0.7;
export const COMPACT_FROM = 0.35;

export const detailAt = (zoom: number): Detail => (zoom >= FULL_FROM ? 'full' : zoom >= COMPACT_FROM ? 'compact' : 'tile');

/** Type follows the zoom in steps: a new one lays out every card in view, so there are few. Rounded down, so that text is never too small. */
const STEPS = [0.35, 0.4, 0.46, 0.53, 0.61, 0.7, 0.78, 0.88, 1];

export const typeZoom = (zoom: number): number => {
  let step = COMPACT_FROM;
  for (const candidate of STEPS) if (candidate <= zoom + 1e-9) step = candidate;
  return step;
};

/** Below this a compact card has the least type and margins, and its title the whole width. */
const SMALL_BELOW = 0.58;
export const isSmallAt = (type: number): boolean => type < SMALL_BELOW;

/** In screen pixels, as the style sheet has them. */
const LINE = { small: 14, usual: 16 };
const MARGINS = { small: 10, usual: 20 };
const MOST_LINES = 5;

/** How many lines a compact card has room for in the place of a card so high: it is no higher than what it says, and never leaves its place. */
export const linesAt = (height: number, type: number): number => {
  const size = isSmallAt(type) ? 'small' : 'usual';
  return Math.max(1, Math.min(MOST_LINES, Math.floor((height * type - MARGINS[size] + 0.5) / LINE[size])));
};

export type ZoneHead = 'full' | 'name' | 'above';

/** Where a zone says its name: two lines inside, one line inside, or above its edge (see `scene/labels.ts`). Always at its size on the screen. */
export const zoneHeadAt = (zoom: number): ZoneHead => (zoom >= 0.82 ? 'full' : zoom >= 0.5 ? 'name' : 'above');
