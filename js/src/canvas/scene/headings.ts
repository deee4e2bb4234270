// The names above zones: far out they are written outside of their zone, where they may be wider than it, and must not lie on each other.
import { visible } from '../../store/visible';
import { zoneHeadAt } from '../camera/lod';
import type { Item } from '../layout/item';
import { boxOf } from '../layout/item';
import type { Layout } from '../layout/layout';
import { viewOf } from '../objects';
import type { ViewContext } from '../types';
import type { Label } from './labels';
import { labelsOf } from './labels';

/** Titles to the usual size of type. */
const TITLE = 13 / 12;

export class Headings {
  readonly #root: HTMLElement;
  readonly #layout: Layout;
  readonly #context: () => ViewContext;
  readonly #widths = new Map<string, number>();
  #labels: { key: string; of: ReadonlyMap<string, Label | null> } = { key: '', of: new Map() };
  #ink: CanvasRenderingContext2D | null | undefined;

  constructor(root: HTMLElement, layout: Layout, context: () => ViewContext) {
    this.#root = root;
    this.#layout = layout;
    this.#context = context;
  }

  /** Scales the heading of a container for a zoom. */
  scale(item: Item, zoom: number): void {
    const { element } = item;
    if (!element) return;
    const head = zoneHeadAt(zoom);
    element.style.setProperty('--agor-z', String(zoom));
    element.dataset['head'] = head;
    const label = head === 'above' ? this.#labelOf(item, zoom) : undefined;
    element.toggleAttribute('data-unnamed', label === null);
    element.toggleAttribute('data-uncounted', label?.hasCount === false);
    element.style.setProperty('--agor-level', String(label?.level ?? 0));
    if (label) element.style.setProperty('--agor-label', `${label.width}px`);
  }

  #labelOf(item: Item, zoom: number): Label | null | undefined {
    const key = `${this.#layout.version}/${zoom}`;
    if (this.#labels.key !== key) {
      const context = this.#context();
      const named = [...this.#layout.items.values()]
        .filter(one => one.isContainer)
        .map(one => ({ id: one.id, box: boxOf(one), text: this.#widthOf(viewOf(one.object).name(one.object, context)) }));
      this.#labels = { key, of: labelsOf(named, zoom) };
    }
    return this.#labels.of.get(item.id);
  }

  /** Of a name as it is drawn. */
  #widthOf(name: string): number {
    let width = this.#widths.get(name);
    if (width === undefined) {
      this.#ink ??= document.createElement('canvas').getContext('2d');
      const { fontSize, fontFamily } = getComputedStyle(this.#root);
      if (this.#ink) this.#ink.font = `600 ${Math.ceil((parseFloat(fontSize) || 12) * TITLE)}px ${fontFamily}`;
      width = this.#ink?.measureText(visible(name)).width ?? name.length * 8;
      if (this.#widths.size > 1000) this.#widths.clear();
      this.#widths.set(name, width);
    }
    return width;
  }
}
