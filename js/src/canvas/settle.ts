// Cards are as high as their content, and grow while agents work. So that none hides another, those below make room:
// only in what is shown, never in the document, and not where a person laid one on the other.

const APART = 12;
/** Nearer than this in the document is laid one on the other on purpose. */
const ON_PURPOSE = 100;
/** No card is higher; what lies further above cannot reach. */
const REACH = 1200;
const WIDTH = 272;

/** For each card, from above to below, the cards that could grow into it. Changes with the document only. */
export interface Columns {
  readonly order: readonly number[];
  readonly above: readonly (readonly number[])[];
}

export const columnsOf = (at: readonly { readonly x: number; readonly y: number }[]): Columns => {
  const order = at.map((_, i) => i).sort((a, b) => (at[a]?.y ?? 0) - (at[b]?.y ?? 0));
  const buckets = new Map<number, number[]>();
  const above: number[][] = at.map(() => []);
  for (const i of order) {
    const mine = at[i];
    if (!mine) continue;
    const bucket = Math.floor(mine.x / WIDTH);
    for (let b = bucket - 1; b <= bucket + 1; b++) {
      const list = buckets.get(b) ?? [];
      for (let k = list.length - 1; k >= 0; k--) {
        const j = list[k] ?? 0;
        const other = at[j];
        if (!other || mine.y - other.y > REACH) break;
        if (Math.abs(other.x - mine.x) < WIDTH * 0.7 && mine.y - other.y >= ON_PURPOSE) above[i]?.push(j);
      }
    }
    const list = buckets.get(bucket);
    if (list) list.push(i);
    else buckets.set(bucket, [i]);
  }
  return { order, above };
};

/** How far each is moved down. */
export const settle = (columns: Columns, tops: readonly number[], heights: readonly number[]): number[] => {
  const offsets = tops.map(() => 0);
  for (const i of columns.order) {
    const top = tops[i] ?? 0;
    let y = top;
    for (const j of columns.above[i] ?? []) {
      const end = (tops[j] ?? 0) + (offsets[j] ?? 0) + (heights[j] ?? 0);
      if (end > y - 2) y = end + APART;
    }
    offsets[i] = y - top;
  }
  return offsets;
};

