// Cards are as high as their content, and grow while agents work. So that none hides another, what lies below makes room: cards, notes,
// and whole zones with what is in them. Only in what is shown, never in the document, and not where a person laid one on the other.
import type { Box } from '../types';

export const APART = 12;
/** A card nearer than this below another's top is laid on it on purpose. */
const ON_PURPOSE = 100;
/** No card is higher; what lies further above cannot reach. */
const REACH = 1200;
const BUCKET = 272;
const MOST_BUCKETS = 64;

/** As the document has it. */
export interface Thing extends Box {
  /** A zone: it holds others. */
  readonly isContainer: boolean;
  readonly isStacked: boolean;
  /** The zone that it lies in, by its place in the list; -1: none. A zone lies in none. */
  readonly zone: number;
}

interface Above {
  readonly thing: number;
  /** What is kept between the two. */
  readonly gap: number;
}

/** For each thing, from above to below, what could grow into it. Changes with the document only. */
export interface Columns {
  readonly order: readonly number[];
  readonly above: readonly (readonly Above[])[];
}

const bucketsOf = ({ x, width }: Thing): [number, number] => {
  const first = Math.floor(x / BUCKET);
  return [first, Math.min(first + MOST_BUCKETS, Math.floor((x + width) / BUCKET))];
};

/** The upper one may grow into the lower one: they share enough of their width, and neither lies on the other. */
const gapBetween = (upper: Thing, lower: Thing): number | null => {
  if (upper.zone !== lower.zone) return null;
  const shared = Math.min(upper.x + upper.width, lower.x + lower.width) - Math.max(upper.x, lower.x);
  if (shared <= 0.3 * Math.min(upper.width, lower.width)) return null;
  if (upper.isStacked && lower.isStacked) return lower.y - upper.y >= ON_PURPOSE ? APART : null;
  const gap = lower.y - (upper.y + upper.height);
  return gap >= -1 ? Math.max(0, Math.min(APART, gap)) : null;
};

export const columnsOf = (things: readonly Thing[]): Columns => {
  const order = things.map((_, i) => i).sort((a, b) => (things[a]?.y ?? 0) - (things[b]?.y ?? 0));
  const buckets = new Map<number, number[]>();
  const zones: number[] = [];
  const above: Above[][] = things.map(() => []);
  for (const i of order) {
    const mine = things[i];
    if (!mine) continue;
    const [first, last] = bucketsOf(mine);
    const found = new Map<number, number>();
    const look = (j: number): void => {
      const other = things[j];
      const gap = other && gapBetween(other, mine);
      if (gap !== null && gap !== undefined) found.set(j, gap);
    };
    for (let b = first - 1; b <= last; b++) {
      const list = buckets.get(b) ?? [];
      for (let k = list.length - 1; k >= 0; k--) {
        const j = list[k] ?? 0;
        if (mine.y - (things[j]?.y ?? 0) > REACH) break;
        look(j);
      }
    }
    // A zone may be as high as it likes.
    for (const j of zones) look(j);
    above[i] = [...found].map(([thing, gap]) => ({ thing, gap }));
    if (mine.isContainer) zones.push(i);
    else
      for (let b = first; b <= last; b++) {
        const list = buckets.get(b);
        if (list) list.push(i);
        else buckets.set(b, [i]);
      }
  }
  return { order, above };
};

export interface Settled {
  /** How far each is moved down. */
  readonly offsets: readonly number[];
  /** How high each is: a zone holds what lies in it. */
  readonly heights: readonly number[];
}

/** `shown`: how high each is just now; of zones, as the document has it. */
export const settle = (things: readonly Thing[], { order, above }: Columns, shown: readonly number[]): Settled => {
  const offsets = things.map(() => 0);
  const heights = [...shown];
  const place = (i: number): void => {
    const top = things[i]?.y ?? 0;
    let y = top;
    for (const { thing: j, gap } of above[i] ?? []) {
      const other = things[j];
      if (!other) continue;
      const end = other.y + (offsets[j] ?? 0) + (heights[j] ?? 0);
      if (end + gap > y + 0.5) y = end + gap;
    }
    offsets[i] = y - top;
  };
  for (const i of order) {
    const zone = things[i]?.zone ?? -1;
    if (zone < 0) continue;
    place(i);
    const end = (things[i]?.y ?? 0) + (offsets[i] ?? 0) + (heights[i] ?? 0) + APART - (things[zone]?.y ?? 0);
    heights[zone] = Math.max(heights[zone] ?? 0, end);
  }
  for (const i of order) if ((things[i]?.zone ?? -1) < 0) place(i);
  for (const i of order) {
    const zone = things[i]?.zone ?? -1;
    if (zone >= 0) offsets[i] = (offsets[i] ?? 0) + (offsets[zone] ?? 0);
  }
  return { offsets, heights };
};
