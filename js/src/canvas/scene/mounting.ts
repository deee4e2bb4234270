// The elements of what is in view: made when a thing comes near, drawn again when it was invalidated, taken away when it is far.
import type { Size } from '../camera/camera';
import { linesAt } from '../camera/lod';
import { intersects } from '../layout/geometry';
import type { Item } from '../layout/item';
import { boxOf, place } from '../layout/item';
import type { Layout } from '../layout/layout';
import { viewOf } from '../objects';
import type { Box, Detail, ViewContext } from '../types';
import { h, morph } from './dom';
import type { Invalidation } from './invalidation';

/** What is not in view yet is drawn in the time that is left of a frame. */
const SPARE_MS = 3;
const ALWAYS = 1;

/** What the scene tells of how things are drawn just now. */
export interface Drawing {
  readonly detail: Detail;
  /** The size of type, in board units. */
  readonly type: number;
  readonly size: Size;
  context(): ViewContext;
  /** It has an element from now on. */
  mounted(item: Item): void;
  /** Some are as high as their content is, which was another height. */
  measured(): void;
}

export class Mounting {
  readonly mounted = new Set<Item>();
  /** Containers lie under all others. */
  readonly containers = h('div', { class: 'agor-layer' });
  readonly things = h('div', { class: 'agor-layer' });
  readonly #waiting = new Set<Item>();
  readonly #flags = new Map<string, Map<string, string>>();
  readonly #layout: Layout;
  readonly #invalidation: Invalidation;
  readonly #drawing: Drawing;
  readonly #observer: ResizeObserver | null;
  #isClippedDue = true;

  constructor(layout: Layout, invalidation: Invalidation, drawing: Drawing) {
    this.#layout = layout;
    this.#invalidation = invalidation;
    this.#drawing = drawing;
    this.#observer = typeof ResizeObserver === 'undefined' ? null : new ResizeObserver(entries => this.#measured(entries));
  }

  destroy(): void {
    this.#observer?.disconnect();
  }

  /** Some of what is near is still to be drawn. */
  get isBehind(): boolean {
    return this.#waiting.size > 0;
  }

  /** What is in `seen` is wanted; the rest goes, unless it is held or has the focus. */
  cull(seen: Box): void {
    const wanted = this.#layout.near(seen);
    for (const item of [...this.mounted])
      if (!wanted.has(item.id) && !item.held && !item.element?.contains(document.activeElement)) this.unmount(item);
    this.#waiting.clear();
    for (const id of wanted) {
      const item = this.#layout.items.get(id);
      if (item && !item.element) this.#waiting.add(item);
    }
    for (const item of this.#layout.items.values()) if (item.held && !item.element) this.#waiting.add(item);
  }

  /** All of what is wanted that is in view, and of the rest what the frame has time for. */
  mountSome(view: Box): void {
    if (!this.#waiting.size) return;
    const context = this.#drawing.context();
    const fresh: Item[] = [];
    const end = performance.now() + SPARE_MS;
    const mount = (item: Item): void => {
      this.#mount(item, context);
      fresh.push(item);
      this.#waiting.delete(item);
    };
    for (const item of this.#waiting) if (intersects(boxOf(item), view)) mount(item);
    let extra = 0;
    for (const item of this.#waiting) {
      if (extra >= ALWAYS && performance.now() > end) break;
      mount(item);
      extra++;
    }
    if (!fresh.length) return;
    const containers = document.createDocumentFragment();
    const things = document.createDocumentFragment();
    const ranks = this.#layout.ranks();
    fresh.sort((a, b) => (ranks.get(a.id) ?? 0) - (ranks.get(b.id) ?? 0));
    for (const item of fresh) if (item.element) (item.isContainer ? containers : things).append(item.element);
    this.#insert(this.containers, containers);
    this.#insert(this.things, things);
  }

  /** Draws again what was invalidated. */
  redraw(): void {
    const { dirty } = this.#invalidation;
    if (!dirty.size) return;
    const context = this.#drawing.context();
    for (const item of dirty) if (item.element) this.#draw(item, context);
    dirty.clear();
  }

  /** The elements' order is the reading order, whatever was mounted when. */
  #insert(layer: HTMLElement, fragment: DocumentFragment): void {
    if (!fragment.firstChild) return;
    if (!layer.firstChild) {
      layer.append(fragment);
      return;
    }
    const ranks = this.#layout.ranks();
    const rank = (node: Node | null): number => (node instanceof HTMLElement ? (ranks.get(node.dataset['id'] ?? '') ?? 0) : Infinity);
    let next: Node | null = layer.firstChild;
    for (const node of [...fragment.childNodes]) {
      const mine = rank(node);
      while (next && rank(next) < mine) next = next.nextSibling;
      layer.insertBefore(node, next);
    }
  }

  #mount(item: Item, context: ViewContext): void {
    const { detail } = context;
    const view = viewOf(item.object);
    const element = view.draw(item.id, item.object, context);
    element.dataset['id'] = item.id;
    element.dataset['kind'] = item.object.kind;
    item.element = element;
    place(item);
    item.drawn = detail;
    item.isTicking = detail === 'full' && view.isTicking(item.object, context);
    this.#invalidation.dirty.delete(item);
    for (const [name, value] of this.#flags.get(item.id) ?? []) applyFlag(element, name, value);
    this.resize(item);
    this.#drawing.mounted(item);
    if (item.autoHeight && detail === 'full') this.#observer?.observe(element);
    this.mounted.add(item);
    this.#isClippedDue ||= !item.autoHeight;
  }

  unmount(item: Item): void {
    if (!item.element) return;
    this.#invalidation.leave(item);
    this.#observer?.unobserve(item.element);
    item.element.remove();
    item.element = null;
    item.drawn = null;
    this.mounted.delete(item);
  }

  /** It is on the board no more. */
  forget(item: Item): void {
    this.unmount(item);
    this.#waiting.delete(item);
    this.#invalidation.dirty.delete(item);
    this.#flags.delete(item.id);
  }

  #draw(item: Item, context: ViewContext): void {
    const { element } = item;
    if (!element) return;
    const { detail } = context;
    const view = viewOf(item.object);
    const fresh = view.draw(item.id, item.object, context);
    const isOther = item.drawn !== detail;
    if (isOther) {
      this.#invalidation.leave(item);
      element.replaceChildren(...fresh.childNodes);
    } else morphChildren(element, fresh);
    element.className = fresh.className;
    for (const name of ['aria-label', 'aria-labelledby'] as const) {
      const value = fresh.getAttribute(name);
      if (value === null) element.removeAttribute(name);
      else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
    }
    for (const name of ['--nc', '--zc']) {
      const value = fresh.style.getPropertyValue(name);
      if (element.style.getPropertyValue(name) !== value) element.style.setProperty(name, value);
    }
    item.drawn = detail;
    this.#isClippedDue ||= !item.autoHeight;
    item.isTicking = detail === 'full' && view.isTicking(item.object, context);
    if (isOther && item.autoHeight) {
      if (detail === 'full') this.#observer?.observe(element);
      else this.#observer?.unobserve(element);
    }
    this.resize(item);
  }

  /** Gives an element the size of its thing. */
  resize(item: Item): void {
    if (!item.element) return;
    const { style, dataset } = item.element;
    style.width = `${item.width}px`;
    style.height = item.autoHeight && item.drawn !== 'tile' ? '' : `${item.height}px`;
    if (item.autoHeight && item.drawn === 'compact') dataset['lines'] = String(linesAt(item.height, this.#drawing.type));
    else delete dataset['lines'];
  }

  #measured(entries: readonly ResizeObserverEntry[]): void {
    let isChanged = false;
    for (const entry of entries) {
      const item = this.#layout.items.get((entry.target as HTMLElement).dataset['id'] ?? '');
      const height = entry.borderBoxSize[0]?.blockSize ?? 0;
      if (!item || item.element !== entry.target || item.drawn !== 'full' || height < 1) continue;
      item.isMeasured = true;
      if (Math.abs(item.height - height) < 0.5) continue;
      item.height = height;
      this.#layout.moved(item);
      isChanged = true;
    }
    if (!isChanged) return;
    this.#layout.isUnsettled = true;
    this.#drawing.measured();
  }

  /** A mark of the view on an element, as `data-<name>`; `null` takes it away. It stays when the element is made anew. */
  flag(id: string, name: string, value: string | null): void {
    let flags = this.#flags.get(id);
    if (value === null) {
      flags?.delete(name);
      if (flags?.size === 0) this.#flags.delete(id);
    } else {
      if (!flags) this.#flags.set(id, (flags = new Map()));
      flags.set(name, value);
    }
    const element = this.#layout.items.get(id)?.element;
    if (element) applyFlag(element, name, value);
  }

  /** The type has another size: more or less of a text has room. */
  typeChanged(): void {
    if (this.#drawing.detail === 'compact') for (const item of this.mounted) if (item.autoHeight) this.resize(item);
    this.#isClippedDue = true;
  }

  /** Marks what holds more text than it has room for. Looks only after something was drawn: it makes the browser lay out. */
  findClipped(): void {
    if (!this.#isClippedDue) return;
    this.#isClippedDue = false;
    for (const { id, element, autoHeight, isContainer } of this.mounted)
      if (element && !autoHeight && !isContainer) this.flag(id, 'clipped', element.scrollHeight > element.clientHeight + 2 ? 'yes' : null);
  }
}

const applyFlag = (element: HTMLElement, name: string, value: string | null): void => {
  // A colour is a variable of its own; the rest are attributes.
  if (name === 'color') {
    if (value === null) element.style.removeProperty('--c');
    else element.style.setProperty('--c', value);
  } else if (value === null) delete element.dataset[name];
  else element.dataset[name] = value;
};

const morphChildren = (from: HTMLElement, to: HTMLElement): void => {
  const shell = from.cloneNode(false) as HTMLElement;
  shell.append(...to.childNodes);
  morph(from, shell);
};
