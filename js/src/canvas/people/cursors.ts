// Colleagues: their cursors glide, what they hold moves with them, what they selected has a ring in their colour.
import { colleagues, shortName } from '../../store/presence';
import type { AwarenessLike, Presence } from '../../store/types';
import { toScreen } from '../camera/camera';
import { h } from '../scene/dom';
import type { Scene } from '../scene/scene';
import type { Point } from '../types';

const NAME_FADES_MS = 3000;
/** Of the way that is left, so much is made in a frame of 16.7 ms. */
const GLIDE = 0.35;

interface Cursor {
  readonly element: HTMLElement;
  at: Point;
  to: Point;
  restsSince: number;
}

const ARROW = 'M2 1.5 15.5 8.8 9.3 10.6 6.2 16.8z';

const arrow = (): SVGSVGElement => {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 18 20');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', ARROW);
  svg.append(path);
  return svg;
};

export class Cursors {
  readonly root = h('div', { class: 'agor-cursors', 'aria-hidden': 'true' });
  readonly #scene: Scene;
  readonly #awareness: AwarenessLike | null;
  readonly #cursors = new Map<number, Cursor>();
  readonly #held = new Map<string, { at: Point; to: Point }>();
  readonly #ringed = new Map<string, string>();
  readonly #onReaders: (readers: ReadonlyMap<string, readonly Presence[]>) => void;
  readonly #isStill = matchMedia('(prefers-reduced-motion: reduce)');
  readonly #onChange = (): void => this.read();
  #frame = 0;
  #fade: ReturnType<typeof setTimeout> | undefined;
  #mine: ReadonlySet<string> = new Set();

  constructor(scene: Scene, awareness: AwarenessLike | null, onReaders: (readers: ReadonlyMap<string, readonly Presence[]>) => void) {
    this.#scene = scene;
    this.#awareness = awareness;
    this.#onReaders = onReaders;
    awareness?.on('change', this.#onChange);
  }

  /** What I hold myself is not moved by others. */
  setMine(ids: ReadonlySet<string>): void {
    this.#mine = ids;
  }

  read(): void {
    const others = colleagues(this.#awareness);
    const rings = new Map<string, string>();
    const held = new Set<string>();
    const readers = new Map<string, Presence[]>();
    for (const [client, presence] of others) {
      this.#point(client, presence);
      const color = presence.user.color ?? '';
      for (const id of presence.selection) rings.set(id, color);
      for (const [id, to] of Object.entries(presence.held ?? {})) {
        rings.set(id, color);
        if (this.#mine.has(id) || !this.#scene.items.has(id)) continue;
        held.add(id);
        const now = this.#held.get(id);
        if (now) now.to = to;
        else this.#held.set(id, { at: this.#scene.layout.boxOf(id) ?? to, to });
      }
      if (presence.reading !== null) {
        const list = readers.get(presence.reading);
        if (list) list.push(presence);
        else readers.set(presence.reading, [presence]);
      }
    }
    for (const [client, cursor] of this.#cursors) {
      if (others.get(client)?.cursor) continue;
      cursor.element.remove();
      this.#cursors.delete(client);
    }
    for (const id of this.#held.keys()) {
      if (held.has(id)) continue;
      this.#held.delete(id);
      if (!this.#mine.has(id)) this.#scene.release(id);
    }
    this.#ring(rings);
    this.#onReaders(readers);
    this.#run();
  }

  /** The camera moved. */
  refresh(): void {
    for (const cursor of this.#cursors.values()) this.#place(cursor);
  }

  destroy(): void {
    this.#awareness?.off('change', this.#onChange);
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#fade);
    this.root.remove();
  }

  #point(client: number, presence: Presence): void {
    if (!presence.cursor) return;
    let cursor = this.#cursors.get(client);
    if (!cursor) {
      const element = h(
        'div',
        { class: 'agor-cursor', style: `--c: ${presence.user.color ?? ''}` },
        arrow(),
        h('span', null, shortName(presence.user.name)),
      );
      cursor = { element, at: presence.cursor, to: presence.cursor, restsSince: performance.now() };
      this.#cursors.set(client, cursor);
      this.root.append(element);
      this.#place(cursor);
      this.#fadeLater();
    }
    if (cursor.to.x !== presence.cursor.x || cursor.to.y !== presence.cursor.y) {
      cursor.to = presence.cursor;
      cursor.restsSince = performance.now();
      delete cursor.element.dataset['rests'];
      this.#fadeLater();
    }
  }

  #ring(rings: ReadonlyMap<string, string>): void {
    for (const [id, color] of rings) {
      if (this.#ringed.get(id) === color) continue;
      this.#scene.flag(id, 'peer', 'yes');
      this.#scene.flag(id, 'color', color);
      this.#ringed.set(id, color);
    }
    for (const id of [...this.#ringed.keys()]) {
      if (rings.has(id)) continue;
      this.#scene.flag(id, 'peer', null);
      this.#scene.flag(id, 'color', null);
      this.#ringed.delete(id);
    }
  }

  #place(cursor: Cursor): void {
    const at = toScreen(this.#scene.camera, cursor.at);
    cursor.element.style.transform = `translate(${at.x}px, ${at.y}px)`;
  }

  #run(): void {
    if (this.#frame) return;
    const step = (): void => {
      this.#frame = 0;
      let moves = false;
      for (const cursor of this.#cursors.values()) {
        if (this.#glide(cursor)) moves = true;
        this.#place(cursor);
      }
      for (const [id, held] of this.#held) {
        if (this.#glide(held)) moves = true;
        this.#scene.hold(id, held.at);
      }
      if (moves) this.#frame = requestAnimationFrame(step);
    };
    this.#frame = requestAnimationFrame(step);
  }

  /** One step of the way; false when it has arrived. */
  #glide(thing: { at: Point; to: Point }): boolean {
    const dx = thing.to.x - thing.at.x;
    const dy = thing.to.y - thing.at.y;
    if (this.#isStill.matches || Math.hypot(dx, dy) * this.#scene.camera.zoom < 0.5) {
      thing.at = thing.to;
      return false;
    }
    thing.at = { x: thing.at.x + dx * GLIDE, y: thing.at.y + dy * GLIDE };
    return true;
  }

  #fadeLater(): void {
    clearTimeout(this.#fade);
    this.#fade = setTimeout(() => {
      const now = performance.now();
      for (const cursor of this.#cursors.values()) if (now - cursor.restsSince >= NAME_FADES_MS) cursor.element.dataset['rests'] = 'yes';
      if ([...this.#cursors.values()].some(cursor => cursor.element.dataset['rests'] === undefined)) this.#fadeLater();
    }, NAME_FADES_MS + 50);
  }
}
