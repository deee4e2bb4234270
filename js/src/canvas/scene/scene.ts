// The world layer: one transformed element, in it only what is in view, drawn at the detail that the zoom allows.
import type { BoardObject, Zone } from '../../protocol/generated';
import { asZone } from '../../store/objects';
import type { BoardState, BoardView, Presence } from '../../store/types';
import type { Size } from '../camera/camera';
import { visibleBox } from '../camera/camera';
import { detailAt, isSmallAt, typeZoom } from '../camera/lod';
import type { Trouble } from '../input/pending';
import { grow } from '../layout/geometry';
import type { Item } from '../layout/item';
import { newItem, place } from '../layout/item';
import { Layout } from '../layout/layout';
import { viewOf } from '../objects';
import type { Box, Camera, Detail, Point, Summary, ViewContext } from '../types';
import { h } from './dom';
import { Headings } from './headings';
import { changedReaders, changedWorktrees, Invalidation } from './invalidation';
import { Mounting } from './mounting';

/** What is mounted around the view, in screen pixels, so that a pan finds it drawn. */
const MARGIN = 320;

export interface SceneHost {
  now(): number;
  isWritable(): boolean;
  isUnfolded(id: string): boolean;
  trouble(id: string): Trouble | null;
  isWaiting(id: string): boolean;
  /** What is drawn over things has to follow. */
  measured(): void;
}

export class Scene {
  readonly root: HTMLElement;
  readonly layout = new Layout();
  readonly items = this.layout.items;
  camera: Camera = { x: 0, y: 0, zoom: 1 };
  size: Size = { width: 0, height: 0 };
  detail: Detail = 'full';
  type = 0;

  readonly #host: SceneHost;
  readonly #invalidation = new Invalidation(this.layout, () => this.context());
  readonly #mounting = new Mounting(this.layout, this.#invalidation, this);
  readonly #headings: Headings;
  readonly #slot = h('div', { class: 'agor-slot', hidden: true, 'aria-hidden': 'true' });
  #state: BoardState;
  #readers: ReadonlyMap<string, readonly Presence[]> = new Map();
  #range = '';
  #zoom = 0;

  constructor(host: SceneHost, state: BoardState) {
    this.#host = host;
    this.#state = state;
    this.root = h('div', { class: 'agor-world', 'data-detail': 'full' }, this.#mounting.containers, this.#slot, this.#mounting.things);
    this.#headings = new Headings(this.root, this.layout, () => this.context());
  }

  // What to show

  setObjects(view: BoardView): void {
    let isChanged = false;
    for (const item of this.items.values()) {
      if (view.objects.has(item.id)) continue;
      this.#drop(item);
      isChanged = true;
    }
    for (const [id, object] of view.objects) {
      const item = this.items.get(id);
      if (item?.object === object) continue;
      isChanged = true;
      if (item && item.object.kind === object.kind) this.#change(item, object);
      else {
        if (item) this.#drop(item);
        this.#take(id, object);
      }
    }
    if (!isChanged) return;
    this.layout.changed();
    this.#range = '';
    for (const item of this.#mounting.mounted) {
      if (!item.isContainer) continue;
      this.#invalidation.look(item);
      this.#headings.scale(item, this.#zoom);
    }
  }

  setState(state: BoardState): void {
    const before = this.#state;
    if (before === state) return;
    this.#state = state;
    const worktrees = changedWorktrees(before, state);
    if (worktrees === null) {
      for (const item of this.items.values()) this.#invalidation.content(item);
      return;
    }
    for (const worktree of worktrees) this.redraw(this.cardsOf(worktree));
    if (worktrees.size) for (const item of this.#mounting.mounted) if (item.isContainer) this.#invalidation.look(item);
  }

  setReaders(readers: ReadonlyMap<string, readonly Presence[]>): void {
    const changed = changedReaders(this.#readers, readers);
    this.#readers = readers;
    for (const id of changed) {
      const session = this.#state.sessions.get(id);
      if (session) this.redraw(this.cardsOf(session.worktreeId));
    }
  }

  /** Draw these again. */
  redraw(ids: Iterable<string>): void {
    this.#invalidation.contents(ids);
  }

  /** The clock moved on. `all`: ages too, else only what counts seconds. */
  tick(all: boolean): void {
    for (const item of this.#mounting.mounted) if (item.drawn === 'full' && (all || item.isTicking)) this.#invalidation.look(item);
  }

  #take(id: string, object: BoardObject): void {
    const item = newItem(id, object, this.context());
    this.layout.add(item);
    this.#invalidation.index(item);
  }

  #change(item: Item, object: BoardObject): void {
    this.#invalidation.unindex(item);
    item.object = object;
    this.#invalidation.index(item);
    if (!item.autoHeight) Object.assign(item, viewOf(object).size(object, this.context()));
    this.layout.moved(item);
    place(item);
    this.#mounting.resize(item);
    this.#invalidation.look(item);
  }

  #drop(item: Item): void {
    this.#mounting.forget(item);
    this.layout.remove(item.id);
    this.#invalidation.unindex(item);
  }

  // What it knows

  bounds(): Box | null {
    return this.layout.bounds();
  }

  visible(): Iterable<Item> {
    return this.#mounting.mounted;
  }

  cardsOf(worktreeId: string): Iterable<string> {
    return this.#invalidation.cardsOf(worktreeId);
  }

  /** What a hovered tile says. */
  describe(item: Item): Summary {
    return viewOf(item.object).summary(item.object, this.context());
  }

  context(): ViewContext {
    return {
      state: this.#state,
      now: this.#host.now(),
      detail: this.detail,
      readers: this.#readers,
      isWritable: this.#host.isWritable(),
      isUnfolded: id => this.#host.isUnfolded(id),
      trouble: id => this.#host.trouble(id),
      isWaiting: id => this.#host.isWaiting(id),
      countIn: id => this.#countIn(id),
      zoneName: id => this.zoneName(id),
      boxOf: id => this.layout.boxOf(id),
    };
  }

  /** The zone of this id, if it is one. */
  zone(id: string | null): Zone | null {
    return id === null ? null : asZone(this.items.get(id)?.object);
  }

  zoneName(id: string): string {
    const zone = this.zone(id);
    return zone ? zone.name || 'Zone' : '';
  }

  #countIn(containerId: string): { cards: number; needs: number } {
    let cards = 0;
    let needs = 0;
    const context = { state: this.#state } as ViewContext;
    for (const id of this.layout.members().get(containerId) ?? []) {
      const object = this.items.get(id)?.object;
      if (!object || !viewOf(object).worktree(object)) continue;
      cards++;
      if (viewOf(object).dot(object, context) === 'needs') needs++;
    }
    return { cards, needs };
  }

  // What a gesture does to them

  /** Shows a thing elsewhere until `release`. */
  hold(id: string, at: Point): void {
    const item = this.items.get(id);
    if (!item) return;
    item.held = at;
    if (item.element) place(item);
    else this.#range = '';
  }

  release(id: string): void {
    const item = this.items.get(id);
    if (!item?.held) return;
    item.held = null;
    this.layout.isUnsettled = true;
    place(item);
  }

  /** Shows another size until the object changes. */
  stretch(id: string, { x, y, width, height }: Box): void {
    const item = this.items.get(id);
    if (!item) return;
    Object.assign(item, { held: { x, y }, width, height });
    place(item);
    this.#mounting.resize(item);
  }

  /** Where what is held would lie in a zone, below it. */
  slot(box: Box | null): void {
    this.#slot.hidden = box === null;
    if (box) Object.assign(this.#slot.style, { left: `${box.x}px`, top: `${box.y}px`, width: `${box.width}px`, height: `${box.height}px` });
  }

  /** A mark of the view on an element, as `data-<name>`; `null` takes it away. */
  flag(id: string, name: string, value: string | null): void {
    this.#mounting.flag(id, name, value);
  }

  // Drawing

  /** Brings the elements up to the camera and the changes. Called once a frame at most. */
  sync(): void {
    const { camera } = this;
    this.root.style.transform = `translate(${camera.x}px, ${camera.y}px) scale(${camera.zoom})`;
    if (this.#zoom !== camera.zoom) this.#zoomed(camera.zoom);

    if (this.layout.isUnsettled) {
      this.layout.settle((item, isHigher) => {
        this.#range = '';
        place(item);
        if (isHigher) this.#mounting.resize(item);
      });
    }
    const view = visibleBox(camera, this.size);
    const near = grow(view, MARGIN / camera.zoom);
    const range = this.layout.rangeOf(near);
    if (range !== this.#range) {
      this.#range = range;
      this.#mounting.cull(near);
    }
    this.#mounting.mountSome(view);
    this.#mounting.redraw();
  }

  #zoomed(zoom: number): void {
    this.#zoom = zoom;
    const { mounted } = this.#mounting;
    const detail = detailAt(zoom);
    if (detail !== this.detail) {
      this.detail = detail;
      this.root.dataset['detail'] = detail;
      for (const item of mounted) this.#invalidation.look(item);
    }
    const type = detail === 'tile' ? 2 ** (Math.floor(Math.log2(zoom) * 3) / 3) : typeZoom(zoom);
    if (type !== this.type) {
      this.type = type;
      this.root.style.setProperty('--agor-type', String(type));
      this.root.toggleAttribute('data-small', isSmallAt(type));
      this.#mounting.typeChanged();
    }
    // From here on a tile is a speck: colour only.
    if (zoom < 0.1) this.root.dataset['far'] = 'yes';
    else delete this.root.dataset['far'];
    for (const item of mounted) if (item.isContainer) this.#headings.scale(item, zoom);
  }

  /** Some of what is near is still to be drawn. */
  get isBehind(): boolean {
    return this.#mounting.isBehind;
  }

  findClipped(): void {
    this.#mounting.findClipped();
  }

  /** For `Mounting`. */
  mounted(item: Item): void {
    if (item.isContainer) this.#headings.scale(item, this.#zoom);
  }

  /** For `Mounting`. */
  measured(): void {
    this.#host.measured();
  }

  destroy(): void {
    this.#mounting.destroy();
    this.root.remove();
  }
}
