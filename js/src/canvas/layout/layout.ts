// Where things lie: as the document has them, and as they are shown, which is lower for what lies below a card that grew. Touches no element.

import { viewOf } from '../objects';
import type { Box, Change, Point } from '../types';
import type { Placed } from './geometry';
import { intersects, readingOrder, union, zoneOf } from './geometry';
import { Grid } from './grid';
import type { Item } from './item';
import { boxOf } from './item';
import { CARD } from './placement';
import type { Columns, Thing } from './settle';
import { columnsOf, settle } from './settle';

/** What lies in which zone, and what is read first, must not depend on how much a card has grown. */
const reserved = (height: number): number => Math.min(height, CARD.height);

export class Layout {
  readonly items = new Map<string, Item>();
  /** Grows with each change of the document. */
  version = 0;
  /** Something grew or moved since things made room for it. */
  isUnsettled = true;
  readonly #grid = new Grid(360);
  #members: { version: number; of: Map<string, string[]> } = { version: -1, of: new Map() };
  #columns: { version: number; items: readonly Item[]; things: readonly Thing[]; of: Columns } = {
    version: -1,
    items: [],
    things: [],
    of: { order: [], above: [] },
  };
  #order: { version: number; ids: readonly string[]; index: ReadonlyMap<string, number> } = { version: -1, ids: [], index: new Map() };

  add(item: Item): void {
    this.items.set(item.id, item);
    this.moved(item);
  }

  remove(id: string): void {
    this.items.delete(id);
    this.#grid.delete(id);
  }

  /** It is shown elsewhere, or at another size. */
  moved(item: Item): void {
    this.#grid.put(item.id, boxOf(item));
  }

  changed(): void {
    this.version++;
    this.isUnsettled = true;
  }

  boxOf(id: string): Box | null {
    const item = this.items.get(id);
    return item ? boxOf(item) : null;
  }

  bounds(): Box | null {
    return union([...this.items.values()].map(boxOf));
  }

  /** The ids of what lies in the cells that a box touches. */
  near(box: Box): Set<string> {
    return this.#grid.query(box);
  }

  /** Says which cells those are: the same text, the same answer. */
  rangeOf(box: Box): string {
    return this.#grid.range(box).join();
  }

  /** Things that touch a box. */
  *inBox(box: Box): Iterable<Item> {
    for (const id of this.near(box)) {
      const item = this.items.get(id);
      if (item && intersects(boxOf(item), box)) yield item;
    }
  }

  /** As the document has them: one that is shown taller does not take more in. */
  containers(): Placed[] {
    return this.#containers().map(item => {
      const { x, y } = item.held ?? item.object;
      return { id: item.id, box: { x, y, width: item.width, height: viewOf(item.object).layoutHeight(item.object) } };
    });
  }

  /** As they are seen just now: higher for what grew in them, and lower for what grew above. */
  shownContainers(): Placed[] {
    return this.#containers().map(item => ({ id: item.id, box: boxOf(item) }));
  }

  #containers(): Item[] {
    return [...this.items.values()].filter(item => item.isContainer);
  }

  /** All but containers, as they are shown. */
  contents(): Placed[] {
    return [...this.items.values()].filter(item => !item.isContainer).map(item => ({ id: item.id, box: boxOf(item) }));
  }

  /**
   * Where in the document a thing has to lie to be shown at `box`. It goes into the zone that is seen there, which carries it on from its own
   * place, and is as high in the document from now on as it was seen.
   */
  landing(box: Box): { readonly at: Point; readonly container: { readonly id: string; readonly change: Change } | null } {
    const wanted = { ...box, height: reserved(box.height) };
    const container = this.items.get(zoneOf(wanted, this.shownContainers()) ?? '');
    if (!container) return { at: box, container: null };
    const { id, object, offset, height } = container;
    const at = { x: box.x, y: box.y - offset };
    const change = viewOf(object).onDrop?.(object, { ...wanted, ...at }, height);
    return { at, container: change ? { id, change } : null };
  }

  /** What lies in each container. */
  members(): ReadonlyMap<string, readonly string[]> {
    if (this.#members.version !== this.version) {
      const containers = this.containers();
      const of = new Map<string, string[]>();
      if (containers.length) {
        for (const item of this.items.values()) {
          if (item.isContainer) continue;
          const id = zoneOf(inDocument(item), containers);
          if (id === null) continue;
          const group = of.get(id);
          if (group) group.push(item.id);
          else of.set(id, [item.id]);
        }
      }
      this.#members = { version: this.version, of };
    }
    return this.#members.of;
  }

  /** Containers and things as they are read. */
  order(): readonly string[] {
    return this.#readOrder().ids;
  }

  /** The place of each in that order. */
  ranks(): ReadonlyMap<string, number> {
    return this.#readOrder().index;
  }

  #readOrder(): { readonly ids: readonly string[]; readonly index: ReadonlyMap<string, number> } {
    if (this.#order.version !== this.version) {
      const things = [...this.items.values()].filter(item => !item.isContainer);
      const ids = readingOrder(
        this.containers(),
        things.map(item => ({ id: item.id, box: inDocument(item) })),
      );
      this.#order = { version: this.version, ids, index: new Map(ids.map((id, i) => [id, i])) };
    }
    return this.#order;
  }

  /**
   * Cards below one that grew make room, and a container holds what lies in it. Not while something is dragged. Calls `moved` for each that
   * is shown elsewhere, or higher, from now on.
   */
  settle(moved: (item: Item, isHigher: boolean) => void): void {
    for (const item of this.items.values()) if (item.held) return;
    this.isUnsettled = false;
    if (this.#columns.version !== this.version) this.#columns = this.#readColumns();
    const { items, things, of } = this.#columns;
    const shown = items.map((item, i) => (item.isContainer ? (things[i]?.height ?? 0) : item.height));
    const { offsets, heights } = settle(things, of, shown);
    for (const [i, item] of items.entries()) {
      const offset = offsets[i] ?? 0;
      const height = heights[i] ?? item.height;
      const isHigher = item.isContainer && Math.abs(height - item.height) >= 0.5;
      if (!isHigher && Math.abs(offset - item.offset) < 0.5) continue;
      item.offset = offset;
      if (isHigher) item.height = height;
      this.moved(item);
      moved(item, isHigher);
    }
  }

  #readColumns(): { version: number; items: readonly Item[]; things: readonly Thing[]; of: Columns } {
    const items = [...this.items.values()];
    const index = new Map(items.map((item, i) => [item.id, i]));
    const containerOf = new Map<string, number>();
    for (const [container, ids] of this.members()) for (const id of ids) containerOf.set(id, index.get(container) ?? -1);
    const things = items.map(({ id, object, width, isContainer }): Thing => {
      const { isStacked, layoutHeight } = viewOf(object);
      return { isContainer, isStacked, x: object.x, y: object.y, width, height: layoutHeight(object), zone: containerOf.get(id) ?? -1 };
    });
    return { version: this.version, items, things, of: columnsOf(things) };
  }
}

const inDocument = ({ object, width, height }: Item): Box => ({ x: object.x, y: object.y, width, height: reserved(height) });
