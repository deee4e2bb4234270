// The world layer: one transformed element, in it only what is in view, drawn at the detail that the zoom allows.
import type { BoardObject } from '../protocol/generated';
import type { BoardState, BoardView, Presence } from '../store/types';
import { visible } from '../store/visible';
import type { Size } from './camera';
import { visibleBox } from './camera';
import { h, morph } from './dom';
import type { Placed } from './geometry';
import { grow, intersects, readingOrder, union, zoneOf } from './geometry';
import { Grid } from './grid';
import type { Label } from './labels';
import { labelsOf } from './labels';
import { detailAt, isSmallAt, linesAt, typeZoom, zoneHeadAt } from './lod';
import { viewOf } from './objects';
import type { Columns, Thing } from './settle';
import { columnsOf, settle } from './settle';
import type { Box, Camera, Detail, Point, Summary, ViewContext } from './types';

/** What is mounted around the view, in screen pixels, so that a pan finds it drawn. */
const MARGIN = 320;
/** What is not in view yet is drawn in the time that is left of a frame. */
const SPARE_MS = 3;
const ALWAYS = 1;
/** Titles to the usual size of type. */
const TITLE = 13 / 12;

/** The height that placing reserves for a card; what lies in which zone must not depend on how much it has grown. */
const NOMINAL = 168;

export interface Item {
  readonly id: string;
  object: BoardObject;
  width: number;
  height: number;
  /** What its content was thought to need when it was last seen: a change of this is a change of its height. */
  estimate: number;
  /** How far it is shown below its place, because a card above it grew. */
  offset: number;
  /** Where it is shown while someone drags it. */
  held: Point | null;
  element: HTMLElement | null;
  drawn: Detail | null;
  isDirty: boolean;
  isMeasured: boolean;
  isTicking: boolean;
  readonly isGround: boolean;
  readonly isNatural: boolean;
}

export interface SceneHost {
  now(): number;
  isWritable(): boolean;
  isUnfolded(id: string): boolean;
  trouble(id: string): string | null;
  isWaiting(id: string): boolean;
}

export class Scene {
  readonly root: HTMLElement;
  readonly items = new Map<string, Item>();
  camera: Camera = { x: 0, y: 0, zoom: 1 };
  size: Size = { width: 0, height: 0 };
  detail: Detail = 'full';
  /** Grows with each change of the layout. */
  version = 0;

  readonly #ground = h('div', { class: 'agor-layer' });
  readonly #things = h('div', { class: 'agor-layer' });
  readonly #grid = new Grid(360);
  readonly #mounted = new Set<Item>();
  readonly #waiting = new Set<Item>();
  readonly #flags = new Map<string, Map<string, string>>();
  readonly #cards = new Map<string, Set<string>>();
  readonly #observer: ResizeObserver | null;
  readonly #host: SceneHost;
  #state: BoardState;
  #readers: ReadonlyMap<string, readonly Presence[]> = new Map();
  #dirty = new Set<Item>();
  #range = '';
  #type = 0;
  #zoom = 0;
  #members: { version: number; zones: Map<string, string[]> } = { version: -1, zones: new Map() };
  #columns: { version: number; items: readonly Item[]; things: readonly Thing[]; of: Columns } = {
    version: -1,
    items: [],
    things: [],
    of: { order: [], above: [] },
  };
  #labels: { key: string; of: ReadonlyMap<string, Label | null> } = { key: '', of: new Map() };
  #ink: CanvasRenderingContext2D | null | undefined;
  readonly #widths = new Map<string, number>();
  #isUnsettled = true;
  #isClippedDue = true;
  #order: { version: number; ids: readonly string[]; index: Map<string, number> } = { version: -1, ids: [], index: new Map() };

  constructor(host: SceneHost, state: BoardState) {
    this.#host = host;
    this.#state = state;
    this.root = h('div', { class: 'agor-world', 'data-detail': 'full' }, this.#ground, this.#things);
    this.#observer = typeof ResizeObserver === 'undefined' ? null : new ResizeObserver(entries => this.#measured(entries));
  }

  // What to show

  setObjects(view: BoardView): void {
    let isChanged = false;
    for (const id of this.items.keys()) {
      if (!view.objects.has(id)) {
        this.#drop(id);
        isChanged = true;
      }
    }
    for (const [id, object] of view.objects) {
      const item = this.items.get(id);
      if (item?.object === object) continue;
      isChanged = true;
      if (item && item.object.kind === object.kind) this.#changed(item, object);
      else {
        if (item) this.#drop(id);
        this.#take(id, object);
      }
    }
    if (!isChanged) return;
    this.version++;
    this.#range = '';
    this.#isUnsettled = true;
    for (const item of this.#mounted) {
      if (!item.isGround) continue;
      this.#soil(item);
      this.#scaleHead(item);
    }
  }

  setState(state: BoardState): void {
    const before = this.#state;
    if (before === state) return;
    this.#state = state;
    if (before.agents !== state.agents || before.me !== state.me || before.isLoaded !== state.isLoaded || before.connection !== state.connection) {
      for (const item of this.items.values()) this.#soilAndSize(item);
      return;
    }
    const worktrees = new Set<string>();
    if (before.worktrees !== state.worktrees) {
      for (const [id, worktree] of state.worktrees) if (before.worktrees.get(id) !== worktree) worktrees.add(id);
      for (const id of before.worktrees.keys()) if (!state.worktrees.has(id)) worktrees.add(id);
    }
    if (before.sessions !== state.sessions) {
      let isQueueMoved = false;
      for (const [id, session] of state.sessions) {
        const old = before.sessions.get(id);
        if (old === session) continue;
        worktrees.add(session.worktreeId);
        isQueueMoved ||= (old?.state === 'queued') !== (session.state === 'queued');
      }
      for (const [id, session] of before.sessions) if (!state.sessions.has(id)) worktrees.add(session.worktreeId);
      // A place in the line is that of all sessions that wait.
      if (isQueueMoved) for (const session of state.sessions.values()) if (session.state === 'queued') worktrees.add(session.worktreeId);
    }
    if (before.permissions !== state.permissions) {
      for (const [id, permission] of state.permissions) if (before.permissions.get(id) !== permission) worktrees.add(permission.worktreeId);
      for (const [id, permission] of before.permissions) if (!state.permissions.has(id)) worktrees.add(permission.worktreeId);
    }
    if (before.turns !== state.turns) {
      for (const [id, turn] of state.turns) if (before.turns.get(id) !== turn) worktrees.add(turn.worktreeId);
      for (const [id, turn] of before.turns) if (!state.turns.has(id)) worktrees.add(turn.worktreeId);
    }
    for (const worktree of worktrees) for (const id of this.#cards.get(worktree) ?? []) this.#soilId(id);
    if (worktrees.size) for (const item of this.#mounted) if (item.isGround) this.#soil(item);
  }

  setReaders(readers: ReadonlyMap<string, readonly Presence[]>): void {
    const changed = new Set<string>();
    for (const id of new Set([...readers.keys(), ...this.#readers.keys()])) {
      const names = (list: readonly Presence[] | undefined): string => (list ?? []).map(p => p.user.username).join();
      if (names(readers.get(id)) !== names(this.#readers.get(id))) changed.add(id);
    }
    this.#readers = readers;
    for (const id of changed) {
      const session = this.#state.sessions.get(id);
      if (session) for (const card of this.#cards.get(session.worktreeId) ?? []) this.#soilId(card);
    }
  }

  /** Draw these again. */
  redraw(ids: Iterable<string>): void {
    for (const id of ids) this.#soilId(id);
  }

  /** The clock moved on. `all`: ages too, else only what counts seconds. */
  tick(all: boolean): void {
    for (const item of this.#mounted) if (item.drawn === 'full' && (all || item.isTicking)) this.#soil(item);
  }

  // Where things are

  box(item: Item): Box {
    const at = spot(item);
    return { x: at.x, y: at.y, width: item.width, height: item.height };
  }

  boxOf(id: string): Box | null {
    const item = this.items.get(id);
    return item ? this.box(item) : null;
  }

  bounds(): Box | null {
    return union([...this.items.values()].map(item => this.box(item)));
  }

  /** Things that touch a box, from the index. */
  *inBox(box: Box): Iterable<Item> {
    for (const id of this.#grid.query(box)) {
      const item = this.items.get(id);
      if (item && intersects(this.box(item), box)) yield item;
    }
  }

  zones(): Placed[] {
    const zones: Placed[] = [];
    // As the document has them: a zone that is shown taller does not take more in.
    for (const item of this.items.values()) {
      if (item.isGround && item.object.kind !== 'card')
        zones.push({ id: item.id, box: { ...(item.held ?? item.object), width: item.object.width, height: item.object.height } });
    }
    return zones;
  }

  /** As they are seen just now: higher for what grew in them, and lower for what grew above. */
  shownZones(): Placed[] {
    return [...this.items.values()].filter(item => item.isGround).map(item => ({ id: item.id, box: this.box(item) }));
  }

  /**
   * Where in the document a thing has to lie to be shown at `box`. It goes into the zone that is seen there, which carries it on from its own
   * place, and is as high in the document from now on as it was seen.
   */
  landing(box: Box): { readonly at: Point; readonly zone: { readonly id: string; readonly height: number } | null } {
    const reserved = { ...box, height: Math.min(box.height, NOMINAL) };
    const id = zoneOf(reserved, this.shownZones());
    const zone = id === null ? undefined : this.items.get(id);
    if (zone?.object.kind !== 'zone') return { at: box, zone: null };
    const at = { x: box.x, y: box.y - zone.offset };
    const isBelow = at.y + reserved.height / 2 > zone.object.y + zone.object.height;
    return { at, zone: isBelow ? { id: zone.id, height: Math.round(zone.height) } : null };
  }

  /** What lies in each zone. */
  members(): ReadonlyMap<string, readonly string[]> {
    if (this.#members.version !== this.version) {
      const zones = this.zones();
      const members = new Map<string, string[]>();
      if (zones.length) {
        for (const item of this.items.values()) {
          if (item.isGround) continue;
          const zone = zoneOf({ x: item.object.x, y: item.object.y, width: item.width, height: Math.min(item.height, NOMINAL) }, zones);
          if (zone === null) continue;
          const group = members.get(zone);
          if (group) group.push(item.id);
          else members.set(zone, [item.id]);
        }
      }
      this.#members = { version: this.version, zones: members };
    }
    return this.#members.zones;
  }

  /** Zones and things as they are read. */
  order(): readonly string[] {
    return this.#readOrder().ids;
  }

  placed(): Placed[] {
    return [...this.items.values()].filter(item => !item.isGround).map(item => ({ id: item.id, box: this.box(item) }));
  }

  elementOf(id: string): HTMLElement | null {
    return this.items.get(id)?.element ?? null;
  }

  visible(): Iterable<Item> {
    return this.#mounted;
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
    };
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
    this.#isUnsettled = true;
    place(item);
  }

  /** Shows another size until the object changes. */
  stretch(id: string, box: Box): void {
    const item = this.items.get(id);
    if (!item) return;
    item.held = { x: box.x, y: box.y };
    item.width = box.width;
    item.height = box.height;
    if (item.element) {
      place(item);
      this.#resize(item);
    }
  }

  /** A mark of the view on an element, as `data-<name>`; `null` takes it away. */
  flag(id: string, name: string, value: string | null): void {
    let flags = this.#flags.get(id);
    if (value === null) {
      flags?.delete(name);
      if (flags?.size === 0) this.#flags.delete(id);
    } else {
      if (!flags) this.#flags.set(id, (flags = new Map()));
      flags.set(name, value);
    }
    const element = this.elementOf(id);
    if (element) applyFlag(element, name, value);
  }

  // Drawing

  /** Brings the elements up to the camera and the changes. Called once a frame at most. */
  sync(): void {
    const { camera } = this;
    this.root.style.transform = `translate(${camera.x}px, ${camera.y}px) scale(${camera.zoom})`;
    const isZoomed = this.#zoom !== camera.zoom;
    if (isZoomed) this.#zoomed(camera.zoom);

    if (this.#isUnsettled) this.#settle();
    const seen = grow(visibleBox(camera, this.size), MARGIN / camera.zoom);
    const range = this.#grid.range(seen).join();
    if (range !== this.#range) {
      this.#range = range;
      this.#cull(seen);
    }
    if (this.#waiting.size) this.#mountSome(visibleBox(camera, this.size));
    if (this.#dirty.size) {
      const context = this.context();
      for (const item of this.#dirty) if (item.element) this.#draw(item, context);
      this.#dirty.clear();
    }
  }

  /** Marks what holds more text than it has room for. Looks only after something was drawn: it makes the browser lay out. */
  findClipped(): void {
    if (!this.#isClippedDue) return;
    this.#isClippedDue = false;
    for (const { id, element, isNatural, isGround } of this.#mounted) {
      if (element && !isNatural && !isGround) this.flag(id, 'clipped', element.scrollHeight > element.clientHeight + 2 ? 'yes' : null);
    }
  }

  destroy(): void {
    this.#observer?.disconnect();
    this.root.remove();
  }

  #zoomed(zoom: number): void {
    this.#zoom = zoom;
    const detail = detailAt(zoom);
    if (detail !== this.detail) {
      this.detail = detail;
      this.root.dataset['detail'] = detail;
      for (const item of this.#mounted) this.#soil(item);
    }
    const type = detail === 'tile' ? 2 ** (Math.floor(Math.log2(zoom) * 3) / 3) : typeZoom(zoom);
    if (type !== this.#type) {
      this.#type = type;
      this.root.style.setProperty('--agor-type', String(type));
      this.root.toggleAttribute('data-small', isSmallAt(type));
      if (detail === 'compact') for (const item of this.#mounted) if (item.isNatural) this.#resize(item);
      this.#isClippedDue = true;
    }
    // From here on a tile is a speck: colour only.
    if (zoom < 0.1) this.root.dataset['far'] = 'yes';
    else delete this.root.dataset['far'];
    for (const item of this.#mounted) if (item.isGround) this.#scaleHead(item);
  }

  #scaleHead(item: Item): void {
    const { element } = item;
    if (!element) return;
    const head = zoneHeadAt(this.#zoom);
    element.style.setProperty('--agor-z', String(this.#zoom));
    element.dataset['head'] = head;
    const label = head === 'above' ? this.#labelOf(item) : undefined;
    element.toggleAttribute('data-unnamed', label === null);
    element.toggleAttribute('data-uncounted', label?.hasCount === false);
    element.style.setProperty('--agor-level', String(label?.level ?? 0));
    if (label) element.style.setProperty('--agor-label', `${label.width}px`);
  }

  #labelOf(item: Item): Label | null | undefined {
    const key = `${this.version}/${this.#zoom}`;
    if (this.#labels.key !== key) {
      const zones = [...this.items.values()].filter(one => one.isGround);
      this.#labels = {
        key,
        of: labelsOf(
          zones.map(one => ({ id: one.id, box: this.box(one), text: this.#widthOf(viewOf(one.object).name(one.object, this.context())) })),
          this.#zoom,
        ),
      };
    }
    return this.#labels.of.get(item.id);
  }

  /** Of a zone's name as it is drawn. */
  #widthOf(name: string): number {
    let width = this.#widths.get(name);
    if (width === undefined) {
      this.#ink ??= document.createElement('canvas').getContext('2d');
      const { fontSize, fontFamily } = getComputedStyle(this.root);
      if (this.#ink) this.#ink.font = `600 ${Math.ceil((parseFloat(fontSize) || 12) * TITLE)}px ${fontFamily}`;
      width = this.#ink?.measureText(visible(name)).width ?? name.length * 8;
      if (this.#widths.size > 1000) this.#widths.clear();
      this.#widths.set(name, width);
    }
    return width;
  }

  /** Some of what is near is still to be drawn. */
  get isBehind(): boolean {
    return this.#waiting.size > 0;
  }

  #cull(seen: Box): void {
    const wanted = this.#grid.query(seen);
    for (const item of [...this.#mounted])
      if (!wanted.has(item.id) && !item.held && !item.element?.contains(document.activeElement)) this.#unmount(item);
    this.#waiting.clear();
    for (const id of wanted) {
      const item = this.items.get(id);
      if (item && !item.element) this.#waiting.add(item);
    }
    for (const item of this.items.values()) if (item.held && !item.element) this.#waiting.add(item);
  }

  /** All that is in view, and of the rest what the frame has time for. */
  #mountSome(view: Box): void {
    const context = this.context();
    const fresh: Item[] = [];
    const end = performance.now() + SPARE_MS;
    for (const item of this.#waiting) {
      if (!intersects(this.box(item), view)) continue;
      this.#mount(item, context);
      fresh.push(item);
      this.#waiting.delete(item);
    }
    let extra = 0;
    for (const item of this.#waiting) {
      if (extra >= ALWAYS && performance.now() > end) break;
      this.#mount(item, context);
      fresh.push(item);
      this.#waiting.delete(item);
      extra++;
    }
    if (!fresh.length) return;
    const ground = document.createDocumentFragment();
    const things = document.createDocumentFragment();
    const index = this.#readOrder().index;
    fresh.sort((a, b) => (index.get(a.id) ?? 0) - (index.get(b.id) ?? 0));
    for (const item of fresh) if (item.element) (item.isGround ? ground : things).append(item.element);
    this.#insert(this.#ground, ground);
    this.#insert(this.#things, things);
  }

  /** The elements' order is the reading order, whatever was mounted when. */
  #insert(layer: HTMLElement, fragment: DocumentFragment): void {
    if (!fragment.firstChild) return;
    if (!layer.firstChild) {
      layer.append(fragment);
      return;
    }
    const index = this.#readOrder().index;
    const rank = (node: Node | null): number => (node instanceof HTMLElement ? (index.get(node.dataset['id'] ?? '') ?? 0) : Infinity);
    let next: Node | null = layer.firstChild;
    for (const node of [...fragment.childNodes]) {
      const mine = rank(node);
      while (next && rank(next) < mine) next = next.nextSibling;
      layer.insertBefore(node, next);
    }
  }

  #mount(item: Item, context: ViewContext): void {
    const view = viewOf(item.object);
    const element = view.draw(item.id, item.object, context);
    element.dataset['id'] = item.id;
    element.dataset['kind'] = item.object.kind;
    item.element = element;
    place(item);
    item.drawn = this.detail;
    item.isTicking = this.detail === 'full' && view.isTicking(item.object, context);
    item.isDirty = false;
    this.#dirty.delete(item);
    for (const [name, value] of this.#flags.get(item.id) ?? []) applyFlag(element, name, value);
    this.#resize(item);
    if (item.isGround) this.#scaleHead(item);
    if (item.isNatural && this.detail === 'full') this.#observer?.observe(element);
    this.#mounted.add(item);
    this.#isClippedDue ||= !item.isNatural;
  }

  #unmount(item: Item): void {
    if (!item.element) return;
    this.#leave(item);
    this.#observer?.unobserve(item.element);
    item.element.remove();
    item.element = null;
    item.drawn = null;
    this.#mounted.delete(item);
  }

  #draw(item: Item, context: ViewContext): void {
    const { element } = item;
    if (!element) return;
    const view = viewOf(item.object);
    const fresh = view.draw(item.id, item.object, context);
    const isOther = item.drawn !== this.detail;
    if (isOther) this.#leave(item);
    if (isOther) element.replaceChildren(...fresh.childNodes);
    else morphChildren(element, fresh);
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
    item.drawn = this.detail;
    item.isDirty = false;
    this.#isClippedDue ||= !item.isNatural;
    item.isTicking = this.detail === 'full' && view.isTicking(item.object, context);
    if (isOther && item.isNatural) {
      if (this.detail === 'full') this.#observer?.observe(element);
      else this.#observer?.unobserve(element);
    }
    this.#resize(item);
  }

  #resize(item: Item): void {
    if (!item.element) return;
    const { style } = item.element;
    style.width = `${item.width}px`;
    const isAsHighAsItSays = item.isNatural && item.drawn !== 'tile';
    style.height = isAsHighAsItSays ? '' : `${item.height}px`;
    if (item.isNatural && item.drawn === 'compact') item.element.dataset['lines'] = String(linesAt(item.height, this.#type));
    else delete item.element.dataset['lines'];
  }

  #measured(entries: readonly ResizeObserverEntry[]): void {
    let isChanged = false;
    for (const entry of entries) {
      const item = this.items.get((entry.target as HTMLElement).dataset['id'] ?? '');
      const height = entry.borderBoxSize[0]?.blockSize ?? 0;
      if (!item || item.element !== entry.target || item.drawn !== 'full' || height < 1) continue;
      item.isMeasured = true;
      if (Math.abs(item.height - height) < 0.5) continue;
      item.height = height;
      this.#grid.put(item.id, this.box(item));
      isChanged = true;
    }
    if (!isChanged) return;
    this.#isUnsettled = true;
    this.onMeasured();
  }

  /** Cards below one that grew make room, and a zone holds what lies in it. Not while something is dragged. */
  #settle(): void {
    for (const item of this.items.values()) if (item.held) return;
    this.#isUnsettled = false;
    if (this.#columns.version !== this.version) {
      const items = [...this.items.values()];
      const index = new Map(items.map((item, i) => [item.id, i]));
      const zones = new Map<string, number>();
      for (const [zone, ids] of this.members()) for (const id of ids) zones.set(id, index.get(zone) ?? -1);
      const things = items.map(
        ({ id, object, width, height }): Thing => ({
          kind: object.kind,
          x: object.x,
          y: object.y,
          width,
          height: object.kind === 'card' ? NOMINAL : object.kind === 'zone' ? object.height : height,
          zone: zones.get(id) ?? -1,
        }),
      );
      this.#columns = { version: this.version, items, things, of: columnsOf(things) };
    }
    const { items, things, of } = this.#columns;
    const { offsets, heights } = settle(
      things,
      of,
      items.map((item, i) => (item.isGround ? (things[i]?.height ?? 0) : item.height)),
    );
    for (const [i, item] of items.entries()) {
      const offset = offsets[i] ?? 0;
      const height = heights[i] ?? item.height;
      const isHigher = item.isGround && Math.abs(height - item.height) >= 0.5;
      if (!isHigher && Math.abs(offset - item.offset) < 0.5) continue;
      item.offset = offset;
      if (isHigher) item.height = height;
      this.#grid.put(item.id, this.box(item));
      this.#range = '';
      place(item);
      if (isHigher) this.#resize(item);
    }
  }

  /** Set by the stage: what is drawn over things has to follow. */
  onMeasured: () => void = () => undefined;

  #take(id: string, object: BoardObject): void {
    const view = viewOf(object);
    const { width, height } = view.size(object, this.context());
    const item: Item = {
      id,
      object,
      width,
      height,
      estimate: height,
      offset: 0,
      held: null,
      element: null,
      drawn: null,
      isDirty: false,
      isMeasured: false,
      isTicking: false,
      isGround: view.isGround,
      isNatural: view.isNatural,
    };
    this.items.set(id, item);
    this.#grid.put(id, this.box(item));
    if (object.kind === 'card') this.#index(object.worktree, id);
  }

  #changed(item: Item, object: BoardObject): void {
    const before = item.object;
    item.object = object;
    if (before.kind === 'card' && object.kind === 'card' && before.worktree !== object.worktree) {
      this.#cards.get(before.worktree)?.delete(item.id);
      this.#index(object.worktree, item.id);
    }
    if (!item.isNatural) Object.assign(item, viewOf(object).size(object, this.context()));
    this.#grid.put(item.id, this.box(item));
    if (item.element) {
      place(item);
      this.#resize(item);
    }
    this.#soil(item);
  }

  #drop(id: string): void {
    const item = this.items.get(id);
    if (!item) return;
    this.#unmount(item);
    this.items.delete(id);
    this.#waiting.delete(item);
    this.#dirty.delete(item);
    this.#grid.delete(id);
    this.#flags.delete(id);
    if (item.object.kind === 'card') this.#cards.get(item.object.worktree)?.delete(id);
  }

  #index(worktree: string, id: string): void {
    const ids = this.#cards.get(worktree);
    if (ids) ids.add(id);
    else this.#cards.set(worktree, new Set([id]));
  }

  cardsOf(worktreeId: string): Iterable<string> {
    return this.#cards.get(worktreeId) ?? [];
  }

  #soilId(id: string): void {
    const item = this.items.get(id);
    if (item) this.#soilAndSize(item);
  }

  #soil(item: Item): void {
    item.isDirty = true;
    if (item.element) this.#dirty.add(item);
  }

  /** By how much the content grew since the last guess. */
  #guess(item: Item): number {
    const { height } = viewOf(item.object).size(item.object, this.context());
    const change = height - item.estimate;
    item.estimate = height;
    return change;
  }

  /** It is about to be out of sight, or drawn smaller: from now on only guesses are made of its height. */
  #leave(item: Item): void {
    if (item.drawn !== 'full' || !item.isNatural) return;
    const change = this.#guess(item);
    if (!item.isMeasured) item.height = Math.max(1, item.height + change);
  }

  /** What changes unseen grows by what its content should need more: a height that was measured stays true where nothing changed. */
  #soilAndSize(item: Item): void {
    this.#soil(item);
    if (!item.isNatural || (item.element && this.detail === 'full')) return;
    const change = this.#guess(item);
    if (change === 0) return;
    item.height = Math.max(1, item.height + change);
    this.#grid.put(item.id, this.box(item));
    this.#isUnsettled = true;
  }

  #countIn(zoneId: string): { cards: number; needs: number } {
    let cards = 0;
    let needs = 0;
    const context = { state: this.#state } as ViewContext;
    for (const id of this.members().get(zoneId) ?? []) {
      const object = this.items.get(id)?.object;
      if (object?.kind !== 'card') continue;
      cards++;
      if (viewOf(object).dot(object, context) === 'needs') needs++;
    }
    return { cards, needs };
  }

  #readOrder(): { ids: readonly string[]; index: Map<string, number> } {
    if (this.#order.version !== this.version) {
      const ids = readingOrder(
        this.zones(),
        [...this.items.values()]
          .filter(item => !item.isGround)
          .map(item => ({ id: item.id, box: { x: item.object.x, y: item.object.y, width: item.width, height: Math.min(item.height, NOMINAL) } })),
      );
      this.#order = { version: this.version, ids, index: new Map(ids.map((id, i) => [id, i])) };
    }
    return this.#order;
  }
}

/** Where it is shown. */
const spot = (item: Item): Point => item.held ?? { x: item.object.x, y: item.object.y + item.offset };

/**
 * Puts an element where its thing is shown. At rest by `left` and `top`: a transform each would make the browser keep a node for each,
 * which is what thousands in view cost most. Only what is held has one, so that a drag lays out nothing.
 */
const place = (item: Item): void => {
  if (!item.element) return;
  const { style } = item.element;
  const y = item.object.y + item.offset;
  style.left = `${item.object.x}px`;
  style.top = `${y}px`;
  style.transform = item.held ? `translate(${item.held.x - item.object.x}px, ${item.held.y - y}px)` : '';
};

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
