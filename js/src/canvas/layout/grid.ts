// A spatial index: which things may be seen in a box. Cells are large, so that a small pan changes nothing.
import type { Box } from '../types';

export class Grid {
  readonly #cell: number;
  readonly #cells = new Map<string, Set<string>>();
  readonly #where = new Map<string, readonly string[]>();

  constructor(cell = 700) {
    this.#cell = cell;
  }

  /** The range of cells a box touches; two boxes with the same key see the same things. */
  range(box: Box): readonly [number, number, number, number] {
    const c = this.#cell;
    return [Math.floor(box.x / c), Math.floor(box.y / c), Math.floor((box.x + box.width) / c), Math.floor((box.y + box.height) / c)];
  }

  put(id: string, box: Box): void {
    const [x0, y0, x1, y1] = this.range(box);
    const keys: string[] = [];
    // A thing larger than 64 × 64 cells is kept in one cell that every query reads.
    if ((x1 - x0 + 1) * (y1 - y0 + 1) > 4096) keys.push('huge');
    else for (let x = x0; x <= x1; x++) for (let y = y0; y <= y1; y++) keys.push(`${x},${y}`);
    const before = this.#where.get(id);
    if (before && before.length === keys.length && before.every((key, i) => key === keys[i])) return;
    this.delete(id);
    for (const key of keys) {
      const cell = this.#cells.get(key);
      if (cell) cell.add(id);
      else this.#cells.set(key, new Set([id]));
    }
    this.#where.set(id, keys);
  }

  delete(id: string): void {
    for (const key of this.#where.get(id) ?? []) {
      const cell = this.#cells.get(key);
      cell?.delete(id);
      if (cell?.size === 0) this.#cells.delete(key);
    }
    this.#where.delete(id);
  }

  /** Ids in the cells that `box` touches: all that intersect it, and some near it. */
  query(box: Box): Set<string> {
    const [x0, y0, x1, y1] = this.range(box);
    const found = new Set(this.#cells.get('huge'));
    if ((x1 - x0 + 1) * (y1 - y0 + 1) > this.#cells.size) {
      for (const [key, cell] of this.#cells) {
        if (key === 'huge') continue;
        const comma = key.indexOf(',');
        const x = +key.slice(0, comma);
        const y = +key.slice(comma + 1);
        if (x >= x0 && x <= x1 && y >= y0 && y <= y1) for (const id of cell) found.add(id);
      }
    } else {
      for (let x = x0; x <= x1; x++) for (let y = y0; y <= y1; y++) for (const id of this.#cells.get(`${x},${y}`) ?? []) found.add(id);
    }
    return found;
  }
}
