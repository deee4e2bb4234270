// The board as one element: the camera, what a pointer, wheel and key mean, and who else is here. Knows no React.

import type { BoardDoc, BoardState, Commands, LocalState, Presence } from '../store/types';
import { texts } from '../texts';
import type { ActionHost } from './actions';
import { actions, mainSession, openCard } from './actions';
import { boxToScreen, fit, panBy, toBoard, visibleBox, zoomAt } from './camera';
import { Cursors } from './cursors';
import { h, icon } from './dom';
import { Editor } from './editor';
import { neighbour, union } from './geometry';
import type { KeyAction } from './keyboard';
import { actionOf } from './keyboard';
import { Minimap } from './minimap';
import { Outline } from './outline';
import { Overlay } from './overlay';
import { Pacer } from './pace';
import { onPinch } from './pinch';
import { CARD, freePlace } from './placement';
import { Scene } from './scene';
import { tools } from './tools';
import { hand } from './tools/hand';
import { carried, landings } from './tools/select';
import type { Desk, Gesture, Input } from './tools/tool';
import { isFar, roundPoint } from './tools/tool';
import type { Box, Camera, CanvasProps, Point } from './types';
import { Viewpoint } from './viewpoint';

const CURSOR_MS = 33;
const HELD_MS = 40;
const VIEW_MS = 250;
const COPY_BY = 24;
const { no } = texts.keys;

/** What the dock and the zoomer show. */
export interface Chrome {
  readonly percent: number;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  readonly hint: string | null;
}

export class Stage implements Desk, ActionHost {
  readonly root: HTMLElement;
  readonly scene: Scene;
  readonly overlay: Overlay;
  readonly board: BoardDoc;
  state: BoardState;
  commands: Commands;
  selection: ReadonlySet<string>;
  #local: LocalState;
  readonly #view: Viewpoint;
  readonly #cursors: Cursors;
  readonly #editor: Editor;
  readonly #outline: Outline;
  readonly #minimap: Minimap;
  readonly #live = h('div', { class: 'agor-hidden', role: 'status', 'aria-live': 'polite' });
  readonly #tip = h('div', { class: 'agor-pop agor-tip', hidden: true, 'aria-hidden': 'true' });
  readonly #undos: (() => void)[] = [];
  readonly #unfolded = new Set<string>();
  readonly #troubles = new Map<string, string>();
  readonly #waiting = new Set<string>();
  readonly #asked = new Set<string>();
  readonly #chromeListeners = new Set<() => void>();
  readonly #cursorPace: Pacer<Point | null>;
  readonly #heldPace: Pacer<Readonly<Record<string, Point>> | null>;
  readonly #viewPace = new Pacer<void>(VIEW_MS, () => this.#shareView());
  readonly #mapPace = new Pacer<void>(400, () => this.#minimap.draw(this.state));
  readonly #outlinePace = new Pacer<void>(1500, () => this.#outline.draw());
  #chrome: Chrome = { percent: 100, canUndo: false, canRedo: false, hint: null };
  #frame = 0;
  #gesture: { gesture: Gesture; start: Point; isMoved: boolean; last: Input } | null = null;
  #pointers = new Map<number, Point>();
  #pinch: { distance: number; middle: Point } | null = null;
  #isSpace = false;
  #hintTimer: ReturnType<typeof setTimeout> | undefined;
  /** Said as long as the filter fits no card. */
  #noHit: string | null = null;
  #eatClick = false;
  #dots = 0;
  #frameAt: DOMRect | null = null;
  #rest: ReturnType<typeof setTimeout> | undefined;
  #watched = '';

  constructor(props: CanvasProps) {
    this.board = props.board;
    this.state = props.state;
    this.commands = props.commands;
    this.#local = props.local;
    this.selection = props.local.selection;
    this.scene = new Scene(
      {
        now: () => Date.now(),
        isWritable: () => this.board.isWritable,
        isUnfolded: id => this.#unfolded.has(id),
        trouble: id => this.#troubles.get(id) ?? null,
        isWaiting: id => this.#waiting.has(id),
      },
      props.state,
    );
    this.scene.onMeasured = () => this.schedule();
    this.#view = new Viewpoint(this.scene, props.local.host === 'cell', () => this.#moved());
    this.#view.hasPanel = hasPanel(props.local);
    this.overlay = new Overlay(this.scene);
    this.#editor = new Editor(this.scene, this.overlay.root);
    this.#cursors = new Cursors(this.scene, this.board.awareness, (readers: ReadonlyMap<string, readonly Presence[]>) => {
      this.scene.setReaders(readers);
      this.schedule();
    });
    this.#minimap = new Minimap(this.scene, camera => this.setCamera(camera));
    this.#outline = new Outline(this.scene, id => this.focus(id));
    this.#cursorPace = new Pacer(CURSOR_MS, at => this.board.awareness?.setLocalStateField('cursor', at));
    this.#heldPace = new Pacer(HELD_MS, held => this.board.awareness?.setLocalStateField('held', held));
    this.root = h(
      'div',
      {
        class: 'agor-board',
        tabindex: 0,
        role: 'application',
        'aria-roledescription': 'board',
        'aria-label': 'Board. Tab goes from card to card, Enter opens, question mark lists all keys',
        'data-tool': props.local.tool,
        'data-host': props.local.host,
      },
      this.scene.root,
      this.#cursors.root,
      this.overlay.root,
      this.#tip,
      this.#minimap.root,
      this.#outline.root,
      this.#live,
    );
    this.#listen();
    this.#readBoard();
    this.#flagSelection(new Set());
    for (const id of this.state.permissions.keys()) this.#asked.add(id);
    this.#cursors.read();
  }

  // Chrome, as a store for React

  subscribe = (listener: () => void): (() => void) => {
    this.#chromeListeners.add(listener);
    return () => this.#chromeListeners.delete(listener);
  };

  getChrome = (): Chrome => this.#chrome;

  update(props: CanvasProps): void {
    this.commands = props.commands;
    const { local, state } = props;
    if (state !== this.state) {
      this.state = state;
      this.scene.setState(state);
      this.#announce();
      this.#mapPace.ask();
      this.#outlinePace.ask();
      this.#watch();
    }
    if (local !== this.#local) {
      const before = this.#local;
      this.#local = local;
      this.root.dataset['tool'] = local.tool;
      this.root.dataset['host'] = local.host;
      if (local.selection !== before.selection) {
        this.selection = local.selection;
        this.#flagSelection(before.selection);
        this.board.awareness?.setLocalStateField('selection', [...local.selection]);
      }
      if (local.openSessionId !== before.openSessionId) this.#flagOpen(before.openSessionId);
      this.#view.isCell = local.host === 'cell';
      this.#view.hasPanel = hasPanel(local);
      // The board has its new size when the frame is drawn.
      if (local.host !== before.host) requestAnimationFrame(() => this.#measure() && this.#view.settle());
      if (hasPanel(before) && !hasPanel(local)) requestAnimationFrame(() => this.#closed());
      if (local.filter !== before.filter || local.only !== before.only) this.#flagFilter();
    }
    if ((local.filter || local.only !== 'all') && state === this.state) this.#flagFilter();
    this.schedule();
  }

  get camera(): Camera {
    return this.scene.camera;
  }

  setCamera(camera: Camera): void {
    this.#view.move(camera);
  }

  #moved(): void {
    if (this.root.dataset['moving'] === undefined) this.root.dataset['moving'] = 'yes';
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => {
      // A busy machine may draw no frame for longer than that.
      if (this.#view.isFlying) return this.#moved();
      delete this.root.dataset['moving'];
      this.scene.findClipped();
      this.#watch();
    }, 250);
    this.schedule();
    this.#viewPace.ask();
  }

  schedule(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  // What tools and actions ask for

  share(held: Readonly<Record<string, Point>> | null): void {
    this.#cursors.setMine(new Set(held ? Object.keys(held) : []));
    if (held === null) this.#heldPace.now(null);
    else this.#heldPace.ask(held);
  }

  setDragging(isDragging: boolean): void {
    if (isDragging) this.root.dataset['dragging'] = 'yes';
    else delete this.root.dataset['dragging'];
    this.overlay.refresh();
  }

  edit(id: string): void {
    if (!this.board.isWritable) return;
    // The thing may have been added in this very turn of the loop.
    this.#readBoard();
    const object = this.board.getView().objects.get(id);
    if (!object || object.kind === 'card') return;
    const isZone = object.kind === 'zone';
    // What is written is seen while it is written.
    if (!isZone) this.#bring(id);
    this.#editor.open({
      id,
      kind: object.kind,
      text: isZone ? object.name : object.text,
      // What was written has room, and one step of undo takes back both.
      commit: (text, height) => this.board.change({ [id]: isZone ? { name: text.trim() || 'Zone' } : height === null ? { text } : { text, height } }),
      close: () => this.root.focus({ preventScroll: true }),
    });
  }

  open(id: string): void {
    const object = this.scene.items.get(id)?.object;
    if (!object) return;
    if (object.kind === 'card') this.#openCard(id);
    else this.edit(id);
  }

  /** `stay`: how many cards were meant too, and do not go. */
  remove(ids: readonly string[], stay = 0): void {
    if (!this.board.isWritable || ids.length === 0) return;
    const { deleted } = texts.keys;
    const objects = ids.map(id => this.board.getView().objects.get(id)).filter(object => object !== undefined);
    const [only] = objects;
    const what = objects.length > 1 || !only ? deleted.things(objects.length) : only.kind === 'zone' ? deleted.zone(only.name) : deleted[only.kind];
    this.commands.select([]);
    this.board.remove(ids);
    this.root.focus({ preventScroll: true });
    this.#hint(null);
    this.commands.toast({ text: stay ? `${what}. ${texts.keys.stays(stay)}` : what, undo: () => this.board.undo() });
  }

  unfold(id: string): void {
    this.#unfolded.add(id);
    this.scene.redraw([id]);
    this.schedule();
  }

  dismiss(id: string): void {
    this.#troubles.delete(id);
    this.scene.redraw([id]);
    this.schedule();
  }

  openMenu(id: string): void {
    this.commands.select([id]);
  }

  run(objectId: string | null, job: () => Promise<void>): void {
    const set = (isWaiting: boolean, trouble: string | null): void => {
      if (objectId === null) return;
      if (isWaiting) this.#waiting.add(objectId);
      else this.#waiting.delete(objectId);
      if (trouble === null) this.#troubles.delete(objectId);
      else this.#troubles.set(objectId, trouble);
      this.scene.redraw([objectId]);
      this.schedule();
    };
    if (objectId !== null && this.#waiting.has(objectId)) return;
    set(true, null);
    job().then(
      () => set(false, null),
      (error: unknown) => set(false, error instanceof Error ? error.message : 'The server did not answer. Nothing was changed. Try again.'),
    );
  }

  // Where to look

  fit(): void {
    this.#view.fit();
  }

  zoomToSelection(): void {
    const box = union([...this.selection].map(id => this.scene.boxOf(id)).filter(one => one !== null));
    if (box) this.#view.go(this.#view.fitting(box));
  }

  /** What a colleague looks at, whatever the size of their window. */
  lookAt(seen: NonNullable<Presence['viewport']>): void {
    this.#view.go(fit(visibleBox(seen, seen), this.scene.size, { top: 0, right: 0, bottom: 0, left: 0 }));
  }

  zoomBy(factor: number): void {
    const { aim } = this.#view;
    this.#view.go(zoomAt(aim, this.#center(), aim.zoom * factor));
  }

  actualSize(): void {
    this.#view.go(zoomAt(this.camera, this.#center(), 1));
  }

  /** Brings a thing into view and gives it the keyboard. */
  focus(id: string): void {
    const item = this.scene.items.get(id);
    if (!item) return;
    this.#bring(id);
    item.element?.focus({ preventScroll: true });
  }

  /** Into view at once. */
  #bring(id: string): void {
    const item = this.scene.items.get(id);
    if (!item) return;
    this.#view.focus(this.scene.box(item));
    this.#draw();
  }

  /** Keeps a thing in view when a panel opens beside the board. */
  show(id: string): void {
    const item = this.scene.items.get(id);
    if (item && this.#measure()) this.#view.opened(this.scene.box(item));
  }

  /** Where a new card should lie, in board units. */
  place(): Point {
    const { left, top, right, bottom } = this.#view.clear();
    const { width, height } = this.scene.size;
    const { zoom } = this.camera;
    const seen = { ...toBoard(this.camera, { x: left, y: top }), width: (width - left - right) / zoom, height: (height - top - bottom) / zoom };
    const shown = [...this.scene.items.values()];
    const of = (kind: string): Box[] => shown.filter(item => item.object.kind === kind).map(item => this.scene.box(item));
    const at = freePlace({ seen, zones: of('zone'), cards: of('card'), notes: of('note') });
    return roundPoint(this.scene.landing({ ...at, ...CARD }).at);
  }

  #center(): Point {
    return { x: this.scene.size.width / 2, y: this.scene.size.height / 2 };
  }

  destroy(): void {
    cancelAnimationFrame(this.#frame);
    this.#view.land();
    clearTimeout(this.#hintTimer);
    clearTimeout(this.#rest);
    for (const undo of this.#undos) undo();
    for (const pace of [this.#cursorPace, this.#heldPace, this.#viewPace, this.#mapPace, this.#outlinePace]) pace.stop();
    this.board.awareness?.setLocalStateField('cursor', null);
    this.#editor.close(true);
    this.#cursors.destroy();
    this.scene.destroy();
    this.root.remove();
  }

  // Drawing

  #draw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const { camera } = this.scene;
    this.scene.sync();
    this.#cursors.refresh();
    this.#minimap.refresh();
    this.#editor.refresh();
    this.overlay.refresh();
    const step = 20 * camera.zoom * 2 ** Math.max(0, Math.ceil(Math.log2(0.6 / camera.zoom)));
    if (step !== this.#dots) {
      this.#dots = step;
      this.root.style.backgroundSize = `${step}px ${step}px`;
    }
    this.root.style.backgroundPosition = `${camera.x % step}px ${camera.y % step}px`;
    this.#tell({ percent: Math.round(camera.zoom * 100) });
    if (this.root.dataset['moving'] === undefined) {
      this.scene.findClipped();
      this.#watch();
    }
    if (this.scene.isBehind) this.schedule();
  }

  #tell(change: Partial<Chrome>): void {
    const next = { ...this.#chrome, canUndo: this.board.canUndo, canRedo: this.board.canRedo, ...change };
    if (
      next.percent === this.#chrome.percent &&
      next.canUndo === this.#chrome.canUndo &&
      next.canRedo === this.#chrome.canRedo &&
      next.hint === this.#chrome.hint
    )
      return;
    this.#chrome = next;
    for (const listener of this.#chromeListeners) listener();
  }

  #hint(text: string | null): void {
    clearTimeout(this.#hintTimer);
    if (text !== null) this.#hintTimer = setTimeout(() => this.#tell({ hint: this.#noHit }), 2500);
    this.#tell({ hint: text ?? this.#noHit });
  }

  #readBoard(): void {
    this.scene.setObjects(this.board.getView());
    this.root.toggleAttribute('data-empty', this.scene.items.size === 0);
    if (this.board.getView().isSynced && this.scene.size.width > 0) this.#view.changed();
    this.#mapPace.ask();
    this.#outlinePace.ask();
    this.#tell({});
    this.#flagFilter();
    this.schedule();
  }

  #flagSelection(before: ReadonlySet<string>): void {
    for (const id of before) if (!this.selection.has(id)) this.scene.flag(id, 'selected', null);
    for (const id of this.selection) this.scene.flag(id, 'selected', 'yes');
    this.overlay.select(this.selection.size === 1 && this.board.isWritable ? ([...this.selection][0] ?? null) : null);
  }

  /** The pulse of a question stops while it is open in the panel. */
  #flagOpen(before: string | null): void {
    const cardsOf = (sessionId: string | null): Iterable<string> => {
      const session = sessionId === null ? undefined : this.state.sessions.get(sessionId);
      return session ? this.scene.cardsOf(session.worktreeId) : [];
    };
    for (const id of cardsOf(before)) this.scene.flag(id, 'open', null);
    for (const id of cardsOf(this.#local.openSessionId)) this.scene.flag(id, 'open', 'yes');
    this.board.awareness?.setLocalStateField('reading', this.#local.openSessionId);
  }

  #flagFilter(): void {
    const words = this.#local.filter.trim().toLowerCase();
    const { only } = this.#local;
    const me = this.state.me?.person.username;
    let hits = 0;
    for (const item of this.scene.items.values()) {
      if (item.object.kind !== 'card') continue;
      const worktree = this.state.worktrees.get(item.object.worktree);
      const text = words ? `${worktree?.name ?? item.object.title} ${item.object.branch} ${item.object.repo}`.toLowerCase() : '';
      const ids = this.state.sessionsOf.get(item.object.worktree) ?? [];
      const has = (...states: string[]): boolean => ids.some(id => states.includes(this.state.sessions.get(id)?.state ?? ''));
      const fits =
        (!words || text.includes(words) || ids.some(id => this.state.sessions.get(id)?.title.toLowerCase().includes(words))) &&
        (only === 'all' ||
          (only === 'needs' && has('needs_you')) ||
          (only === 'running' && has('running', 'starting', 'stopping')) ||
          (only === 'mine' && worktree?.createdBy.username === me));
      if (fits) hits += 1;
      this.scene.flag(item.id, 'faded', fits ? null : 'yes');
    }
    const isNoHit = hits === 0 && this.scene.items.size > 0 && (words !== '' || only !== 'all');
    const noHit = isNoHit ? (words ? texts.bar.noMatch(words) : texts.bar.noHit[only]) : null;
    if (noHit === this.#noHit) return;
    this.#noHit = noHit;
    this.#hint(null);
  }

  /** New questions are said once, politely. */
  #announce(): void {
    for (const [id, permission] of this.state.permissions) {
      if (this.#asked.has(id)) continue;
      this.#asked.add(id);
      const session = this.state.sessions.get(permission.sessionId);
      const agent = session ? (this.state.agents.get(session.agent)?.agent.label ?? session.agent) : 'An agent';
      const worktree = this.state.worktrees.get(permission.worktreeId)?.name;
      const asks = permission.files ? 'would obey untrusted files' : 'asks';
      const what = permission.files?.map(({ path }) => path).join(', ') ?? permission.command ?? permission.title;
      this.#live.textContent = `${agent} ${asks}${worktree ? ` in ${worktree}` : ''}: ${what}`.slice(0, 200);
    }
  }

  /** Git status is asked only for what someone looks at. */
  #watch(): void {
    const ids: string[] = [];
    if (this.scene.detail !== 'tile') {
      for (const item of this.scene.visible())
        if (item.object.kind === 'card' && this.state.worktrees.get(item.object.worktree)?.state === 'ready') ids.push(item.object.worktree);
    }
    const key = ids.sort().join();
    if (key === this.#watched) return;
    this.#watched = key;
    this.commands.watch(ids.slice(0, 50));
  }

  #shareView(): void {
    const { x, y, zoom } = this.camera;
    this.board.awareness?.setLocalStateField('viewport', { x, y, zoom, ...this.scene.size });
  }

  // Input

  #listen(): void {
    const on = <K extends keyof HTMLElementEventMap>(
      target: HTMLElement | Window,
      type: K,
      handler: (event: HTMLElementEventMap[K]) => void,
      options?: AddEventListenerOptions,
    ): void => {
      target.addEventListener(type, handler as EventListener, options);
      this.#undos.push(() => target.removeEventListener(type, handler as EventListener, options));
    };
    on(this.root, 'pointerdown', event => this.#down(event));
    on(window, 'pointermove', event => this.#move(event));
    on(window, 'pointerup', event => this.#up(event));
    on(window, 'pointercancel', event => this.#cancel(event));
    on(this.root, 'pointerleave', () => {
      this.#cursorPace.now(null);
      this.#tip.hidden = true;
    });
    on(this.root, 'pointerover', event => this.#hover(event));
    // Selected text would make the next press a native drag, which cancels the pointer.
    on(this.root, 'mousedown', event => {
      if (!isField(event.target)) event.preventDefault();
    });
    on(this.root, 'dragstart', event => event.preventDefault());
    on(this.root, 'click', event => this.#click(event), { capture: true });
    on(this.root, 'dblclick', event => this.#doubleClick(event));
    on(this.root, 'wheel', event => this.#wheel(event), { passive: false });
    this.#undos.push(
      onPinch(
        this.root,
        (at, factor) => this.#zoom(at, factor),
        () => this.#pointers.size > 0,
      ),
    );
    on(this.root, 'keydown', event => this.#key(event));
    on(this.root, 'keyup', event => {
      if (event.key === ' ') this.#setSpace(false);
    });
    on(window, 'blur', () => this.#setSpace(false));
    this.#undos.push(this.board.subscribe(() => this.#readBoard()));
    if (typeof ResizeObserver !== 'undefined') {
      const observer = new ResizeObserver(() => this.#resized());
      observer.observe(this.root);
      this.#undos.push(() => observer.disconnect());
    }
    let ticks = 0;
    const timer = setInterval(() => {
      if (document.hidden) return;
      this.scene.tick(++ticks % 30 === 0);
      this.schedule();
    }, 1000);
    this.#undos.push(() => clearInterval(timer));
  }

  #measure(): boolean {
    const { clientWidth: width, clientHeight: height } = this.root;
    if (width === 0 || height === 0) return false;
    this.scene.size = { width, height };
    this.root.dataset['narrow'] = width < 900 ? 'yes' : 'no';
    return true;
  }

  #resized(): void {
    const before = this.scene.size;
    if (!this.#measure()) return;
    if (!this.#view.isPlaced) this.#readBoard();
    this.#view.resized(before);
    this.schedule();
    this.#viewPace.ask();
  }

  #closed(): void {
    const id = this.#focused();
    if (this.#measure()) this.#view.closed(id === null ? null : this.scene.boxOf(id));
  }

  #point(event: Pick<MouseEvent, 'clientX' | 'clientY'>): Point {
    // Asking for the place of an element makes the browser lay out what changed; during a gesture it stands still.
    if (this.#frameAt === null || !this.#gesture) this.#frameAt = this.root.getBoundingClientRect();
    return { x: event.clientX - this.#frameAt.left, y: event.clientY - this.#frameAt.top };
  }

  #input(event: PointerEvent | MouseEvent): Input {
    const screen = this.#point(event);
    const target = event.target instanceof Element ? event.target : null;
    return {
      screen,
      board: toBoard(this.camera, screen),
      id: target?.closest<HTMLElement>('[data-id]')?.dataset['id'] ?? null,
      handle: target?.closest<HTMLElement>('[data-handle]')?.dataset['handle'] ?? null,
      shift: event.shiftKey,
      ctrl: event.ctrlKey || event.metaKey,
      alt: event.altKey,
    };
  }

  #down(event: PointerEvent): void {
    this.#view.touch();
    this.#pointers.set(event.pointerId, this.#point(event));
    const target = event.target instanceof Element ? event.target : null;
    if (isField(target)) return;
    if (this.#pointers.size === 2) {
      this.#stop(false);
      const [a, b] = [...this.#pointers.values()] as [Point, Point];
      this.#pinch = { distance: Math.hypot(a.x - b.x, a.y - b.y), middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } };
      return;
    }
    if (event.button === 2 || this.#gesture) return;
    this.#eatClick = false;
    const input = this.#input(event);
    // A button is for pressing; a row of a card may also be dragged by.
    if (target?.closest('button, a[href]')) return;
    if (this.#editor.isOpen) this.#editor.close(true);
    const focused = input.id === null ? null : this.scene.elementOf(input.id);
    (focused ?? this.root).focus({ preventScroll: true });
    const chosen = tools[this.#local.tool];
    const tool = event.button === 1 || this.#isSpace ? hand : chosen.writes && !this.board.isWritable ? tools.select : chosen;
    const gesture = tool.press(input, this);
    if (!gesture) return;
    if (tool === hand) this.root.dataset['panning'] = 'yes';
    this.#gesture = { gesture, start: input.screen, isMoved: false, last: input };
    this.#tip.hidden = true;
  }

  #move(event: PointerEvent): void {
    if (this.#pointers.has(event.pointerId)) this.#pointers.set(event.pointerId, this.#point(event));
    if (this.#pinch && this.#pointers.size === 2) {
      const [a, b] = [...this.#pointers.values()] as [Point, Point];
      const distance = Math.max(1, Math.hypot(a.x - b.x, a.y - b.y));
      const middle = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
      this.setCamera(
        zoomAt(
          panBy(this.camera, middle.x - this.#pinch.middle.x, middle.y - this.#pinch.middle.y),
          middle,
          this.camera.zoom * (distance / this.#pinch.distance),
        ),
      );
      this.#pinch = { distance, middle };
      return;
    }
    const held = this.#gesture;
    if (held) {
      const screen = this.#point(event);
      const input: Input = {
        ...held.last,
        screen,
        board: toBoard(this.camera, screen),
        shift: event.shiftKey,
        ctrl: event.ctrlKey || event.metaKey,
        alt: event.altKey,
      };
      held.last = input;
      held.isMoved ||= isFar(held.start, input.screen);
      held.gesture.move(input);
      this.#cursorPace.ask(input.board);
    } else if (event.target instanceof Node && this.root.contains(event.target)) {
      this.#cursorPace.ask(toBoard(this.camera, this.#point(event)));
    }
  }

  #up(event: PointerEvent): void {
    this.#pointers.delete(event.pointerId);
    if (this.#pointers.size < 2) this.#pinch = null;
    const held = this.#gesture;
    if (!held) return;
    const screen = this.#point(event);
    this.#gesture = null;
    delete this.root.dataset['panning'];
    this.#eatClick = held.isMoved;
    held.gesture.up({ ...held.last, screen, board: toBoard(this.camera, screen), ctrl: event.ctrlKey || event.metaKey });
    this.#readBoard();
  }

  #cancel(event: PointerEvent): void {
    this.#pointers.delete(event.pointerId);
    this.#stop(true);
  }

  /** Ends the gesture without its effect. */
  #stop(isEaten: boolean): void {
    const held = this.#gesture;
    if (!held) return;
    this.#gesture = null;
    delete this.root.dataset['panning'];
    this.#eatClick = isEaten;
    held.gesture.cancel();
    this.schedule();
  }

  #click(event: MouseEvent): void {
    if (this.#eatClick) {
      this.#eatClick = false;
      event.stopPropagation();
      event.preventDefault();
      return;
    }
    const target = event.target instanceof Element ? event.target : null;
    const pressed = target?.closest<HTMLElement>('[data-act]');
    if (!pressed || pressed.getAttribute('aria-disabled') === 'true') return;
    const action = actions[pressed.dataset['act'] ?? ''];
    if (!action) return;
    event.stopPropagation();
    action(
      {
        objectId: pressed.closest<HTMLElement>('[data-id]')?.dataset['id'] ?? null,
        of: pressed.dataset['of'] ?? '',
        option: pressed.dataset['option'] ?? '',
        line: Number(pressed.dataset['line'] ?? -1),
      },
      this,
    );
  }

  #doubleClick(event: MouseEvent): void {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest('[data-act], button, a')) return;
    const id = target?.closest<HTMLElement>('[data-id]')?.dataset['id'];
    if (id) this.open(id);
  }

  #wheel(event: WheelEvent): void {
    const isZoom = event.ctrlKey || event.metaKey;
    // In a cell the page scrolls past, until a person works in the board.
    if (!isZoom && this.#local.host === 'cell' && !this.root.contains(document.activeElement)) {
      this.#hint('Click the board to pan it with the wheel, or hold Ctrl to zoom');
      return;
    }
    if (isField(event.target)) return;
    event.preventDefault();
    event.stopPropagation();
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    if (isZoom) {
      const factor = 2 ** (-Math.max(-240, Math.min(240, event.deltaY * unit)) * (Math.abs(event.deltaY) < 20 ? 0.01 : 0.003));
      this.#zoom(event, factor);
    } else {
      const [dx, dy] = event.shiftKey && event.deltaX === 0 ? [event.deltaY, 0] : [event.deltaX, event.deltaY];
      this.setCamera(panBy(this.camera, -dx * unit, -dy * unit));
    }
  }

  #zoom(at: { clientX: number; clientY: number }, factor: number): void {
    this.setCamera(zoomAt(this.camera, this.#point(at), this.camera.zoom * factor));
  }

  /** Far out, hovering says what a tile is. */
  #hover(event: PointerEvent): void {
    const id = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-id]')?.dataset['id'] : undefined;
    const item = id === undefined ? undefined : this.scene.items.get(id);
    const isTold = item?.object.kind === 'card' || item?.element?.hasAttribute('data-unnamed');
    if (!item || !isTold || this.scene.detail !== 'tile' || this.#gesture) {
      this.#tip.hidden = true;
      return;
    }
    const near = this.scene.describe(item);
    this.#tip.replaceChildren(
      h(
        'div',
        { class: 'agor-row agor-g8' },
        h('span', { class: `agor-st agor-st-${near.mark}` }, icon(`st-${near.mark}`)),
        h('b', { class: 'agor-b agor-ell' }, near.title),
      ),
      h('p', { class: 'agor-t2' }, near.fact),
    );
    const at = boxToScreen(this.camera, this.scene.box(item));
    this.#tip.hidden = false;
    this.#tip.style.left = `${Math.max(8, Math.min(at.x, this.scene.size.width - 256))}px`;
    this.#tip.style.top = `${at.y + at.height + 70 > this.scene.size.height ? at.y - 66 : at.y + at.height + 8}px`;
  }

  #setSpace(isDown: boolean): void {
    if (this.#isSpace === isDown) return;
    this.#isSpace = isDown;
    if (isDown) this.root.dataset['space'] = 'yes';
    else delete this.root.dataset['space'];
  }

  // Keys

  #focused(): string | null {
    const active = document.activeElement;
    return active instanceof Element && this.root.contains(active) ? (active.closest<HTMLElement>('[data-id]')?.dataset['id'] ?? null) : null;
  }

  #key(event: KeyboardEvent): void {
    if (isField(event.target)) return;
    if (event.key === ' ' && !(event.target instanceof HTMLButtonElement)) {
      event.preventDefault();
      event.stopPropagation();
      this.#setSpace(true);
      return;
    }
    if (event.target instanceof HTMLButtonElement && (event.key === 'Enter' || event.key === ' ' || event.key === 'Tab')) return;
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    const action = actionOf(event);
    if (action && this.#act(action)) {
      event.preventDefault();
      event.stopPropagation();
    } else if (isPlain && event.key !== 'Tab') event.stopPropagation();
  }

  /** False: the key was not used, and goes its usual way. What cannot be done says why. */
  #act(action: KeyAction): boolean {
    const { commands } = this;
    const id = this.#focused() ?? (this.selection.size === 1 ? ([...this.selection][0] ?? null) : null);
    switch (action.do) {
      case 'tool':
        commands.setTool(action.tool);
        return true;
      case 'next':
      case 'previous':
        return this.#step(action.do === 'next' ? 1 : -1);
      case 'arrow':
        this.#arrow(action.direction, action.by);
        return true;
      case 'open':
        if (id === null) this.#hint(no.card);
        else this.open(id);
        return true;
      case 'close':
        this.#close();
        return true;
      case 'fit':
        this.fit();
        return true;
      case 'zoom-selection':
        if (this.selection.size) this.zoomToSelection();
        else this.#hint(no.selection);
        return true;
      case 'actual':
        this.actualSize();
        return true;
      case 'zoom-in':
      case 'zoom-out':
        this.zoomBy(action.do === 'zoom-in' ? 1.25 : 0.8);
        return true;
      case 'answer':
        this.#atCard(id, (worktree, card) => this.#answer(card, worktree, action.with));
        return true;
      case 'new-worktree':
        if (this.#maySteer()) commands.openDialog('worktree');
        return true;
      case 'new-session':
        this.#atCard(id, worktree => this.#maySteer() && commands.openDialog('session', { worktreeId: worktree }));
        return true;
      case 'prompt':
        this.#atCard(id, (_, card) => this.#openCard(card, true));
        return true;
      case 'changes':
        this.#atCard(id, worktree => commands.openDiff(worktree), true);
        return true;
      case 'archive':
        this.#archive(id);
        return true;
      case 'delete':
        this.#delete();
        return true;
      case 'duplicate':
        this.#duplicate();
        return true;
      case 'undo':
        if (this.board.canUndo) this.board.undo();
        else this.#hint(no.undo);
        return true;
      case 'redo':
        if (this.board.canRedo) this.board.redo();
        else this.#hint(no.redo);
        return true;
      case 'select-all':
        commands.select([...this.scene.items.values()].filter(item => !item.isGround).map(item => item.id));
        return true;
    }
  }

  #maySteer(): boolean {
    if (this.state.me?.role !== 'viewer') return true;
    this.#hint(no.rights);
    return false;
  }

  /** Does it at the card that is meant, if its worktree can be worked in, or for `isShown` if there is one to be seen. */
  #atCard(id: string | null, job: (worktreeId: string, cardId: string) => void, isShown = false): void {
    const object = id === null ? undefined : this.scene.items.get(id)?.object;
    if (id === null || object?.kind !== 'card') {
      this.#hint(no.card);
      return;
    }
    const worktree = this.state.worktrees.get(object.worktree);
    if (!worktree) this.#hint(no.absent(object.title || object.branch));
    else if (isShown || worktree.state === 'ready') job(worktree.id, id);
    else this.#hint(no[worktree.state](worktree.name));
  }

  #openCard(id: string, focusPrompt = false): void {
    const object = this.scene.items.get(id)?.object;
    if (object?.kind !== 'card') return;
    const worktree = this.state.worktrees.get(object.worktree);
    if (worktree) openCard(object, this, focusPrompt);
    else this.#hint(no.absent(object.title || object.branch));
  }

  /** The focused card, or all that are selected with it. */
  #archive(id: string | null): void {
    const ids = id === null || this.selection.has(id) ? [...this.selection] : [id];
    const cards = ids.filter(one => this.scene.items.get(one)?.object.kind === 'card');
    if (!cards.length) this.#hint(no.card);
    else if (this.#maySteer())
      for (const one of cards) this.#atCard(one, (worktree, card) => this.run(card, () => this.commands.archiveWorktree(worktree)));
  }

  #step(by: 1 | -1): boolean {
    const cards = this.scene.order().filter(id => !this.scene.items.get(id)?.isGround);
    const now = this.#focused();
    const at = now === null ? (by === 1 ? -1 : cards.length) : cards.indexOf(now);
    const next = cards[at + by];
    // After the last card, and before the first, the focus leaves the board.
    if (next === undefined) return false;
    this.focus(next);
    return true;
  }

  #arrow(direction: 'left' | 'right' | 'up' | 'down', by: number): void {
    if (this.selection.size && this.board.isWritable) {
      const dx = direction === 'left' ? -by : direction === 'right' ? by : 0;
      const dy = direction === 'up' ? -by : direction === 'down' ? by : 0;
      const to = new Map<string, Point>();
      for (const id of carried([...this.selection], this.scene)) {
        const box = this.scene.boxOf(id);
        if (box) to.set(id, { x: box.x + dx, y: box.y + dy });
      }
      this.board.change(landings(to, this.scene));
      return;
    }
    const from = this.#focused();
    const box = from === null ? null : this.scene.boxOf(from);
    const seen = visibleBox(this.camera, this.scene.size);
    const next = neighbour(box ?? { ...this.middleBox(seen) }, direction, this.scene.placed());
    if (next !== null) this.focus(next);
  }

  middleBox(seen: Box): Box {
    return { x: seen.x + seen.width / 2, y: seen.y + seen.height / 2, width: 0, height: 0 };
  }

  #close(): void {
    if (this.#gesture) this.#stop(true);
    else if (this.#local.tool !== 'select') this.commands.setTool('select');
    else if (this.#local.openDiffId !== null) this.commands.openDiff(null);
    else if (this.#local.openSessionId !== null) this.commands.openSession(null);
    else if (this.selection.size) this.commands.select([]);
    else this.root.focus({ preventScroll: true });
  }

  /** A card goes when its worktree is archived. One whose worktree is not there, or put away, can be taken off the board. */
  #delete(): void {
    if (!this.board.isWritable) {
      this.#hint(no.layout);
      return;
    }
    const ids = this.selection.size ? [...this.selection] : [this.#focused()].filter(id => id !== null);
    const loose: string[] = [];
    const away: (readonly [string, string])[] = [];
    for (const id of ids) {
      const object = this.scene.items.get(id)?.object;
      const worktree = object?.kind === 'card' ? this.state.worktrees.get(object.worktree) : undefined;
      if (object && (object.kind !== 'card' || (!worktree && this.state.isLoaded))) loose.push(id);
      else if (worktree?.state === 'archived' || worktree?.state === 'missing') away.push([id, worktree.id]);
    }
    const stay = ids.filter(id => !loose.includes(id) && !away.some(([one]) => one === id));
    if (loose.length) {
      this.remove(loose, stay.length);
      // They can be archived at once.
      this.commands.select(stay);
    } else if (stay.length) this.#hint(texts.keys.stays(stay.length));
    else if (!ids.length) this.#hint(no.selection);
    for (const [id, worktree] of away) this.run(id, () => this.commands.takeOffBoard(worktree));
  }

  /** Notes and zones, a little below and to the right; the copies are selected, so that they can be moved at once. */
  #duplicate(): void {
    const ids = this.selection.size ? [...this.selection] : [this.#focused()].filter(id => id !== null);
    const objects = ids.map(id => this.board.getView().objects.get(id)).filter(object => object !== undefined && object.kind !== 'card');
    if (!ids.length) this.#hint(no.selection);
    else if (!objects.length) this.#hint(no.duplicate);
    else if (!this.board.isWritable) this.#hint(no.layout);
    else {
      const made = this.board.addAll(objects.map(object => ({ ...object, x: object.x + COPY_BY, y: object.y + COPY_BY })));
      this.#readBoard();
      this.commands.select(made);
      if (made[0] !== undefined) this.focus(made[0]);
    }
  }

  #answer(id: string, worktreeId: string, kind: 'allow_once' | 'allow_always' | 'reject_once'): void {
    const session = mainSession(worktreeId, this.state);
    const open = session === null ? null : (this.state.sessions.get(session)?.openPermissionId ?? null);
    const permission = open === null ? undefined : this.state.permissions.get(open);
    if (open === null || !permission) {
      this.#hint(no.question);
      return;
    }
    const option = permission.options.find(o => o.kind === kind);
    // Files are read before they are trusted, and what an “always” covers is said in the panel.
    if (!option || permission.files || kind === 'allow_always') this.commands.openSession(session);
    else if (this.state.me?.role !== 'owner') this.#hint(no.rights);
    else this.run(id, () => this.commands.answer(open, option.id));
  }

  nextNeed(): void {
    const order = this.scene.order();
    const from = order.indexOf(this.#focused() ?? '');
    for (let i = 1; i <= order.length; i++) {
      const id = order[(from + i + order.length) % order.length];
      const item = id === undefined ? undefined : this.scene.items.get(id);
      if (item && this.scene.describe(item).mark === 'needs') {
        this.focus(item.id);
        return;
      }
    }
    this.#hint(no.need);
  }
}

const hasPanel = (local: LocalState): boolean => local.openSessionId !== null || local.openDiffId !== null;

const isField = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest('input, textarea, select, [contenteditable="true"]') !== null;
