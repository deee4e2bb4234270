// The board as one element: puts its parts together, tells them what has changed, and draws. Knows no React.
//
// The parts: `objects/` is what can lie on a board, `tools/` what a pointer can do; `layout/` says where things lie, `camera/` where the view
// looks, `scene/` draws it, `input/` turns keys and pointers into commands, `people/` is what colleagues see of each other, `chrome/` is React's.
// It is long because all parts meet here and nowhere else.
import type { BoardDoc, BoardState, Changes, Commands, LocalState, Presence } from '../store/types';
import { texts } from '../texts';
import { Viewport } from './camera/viewport';
import { Chrome } from './chrome/chrome';
import type { ActionHost } from './input/actions';
import type { Carry } from './input/carry';
import { Drops } from './input/drops';
import { Editor } from './input/editor';
import { PendingActions } from './input/pending';
import { PointerInput } from './input/pointer';
import { Shortcuts } from './input/shortcuts';
import { boxOf } from './layout/item';
import { viewOf } from './objects';
import { Pacer } from './pace';
import { Cursors } from './people/cursors';
import { Sharing } from './people/sharing';
import { h } from './scene/dom';
import type { Foretelling } from './scene/foretelling';
import { Marks } from './scene/marks';
import type { Minimap } from './scene/minimap';
import { Outline } from './scene/outline';
import { Overlay } from './scene/overlay';
import { Scene } from './scene/scene';
import { Tip } from './scene/tip';
import type { ToolHost } from './tools/tool';
import type { Camera, CanvasProps, ObjectHost, Point } from './types';

const MAP_MS = 400;
const OUTLINE_MS = 1500;
const TICK_MS = 1000;
/** Ages are drawn again after so many ticks. */
const AGES = 30;

/** What is loaded later. */
export interface Equipment {
  readonly Carry: typeof Carry;
  readonly Foretelling: typeof Foretelling;
  readonly Minimap: typeof Minimap;
}

export class Stage implements ToolHost, ActionHost, ObjectHost {
  readonly root: HTMLElement;
  readonly scene: Scene;
  readonly overlay: Overlay;
  readonly editor: Editor;
  readonly tip: Tip;
  readonly board: BoardDoc;
  readonly viewport: Viewport;
  readonly pointer: PointerInput;
  readonly chrome: Chrome;
  state: BoardState;
  commands: Commands;
  local: LocalState;
  readonly #shortcuts: Shortcuts;
  readonly #marks: Marks;
  readonly #sharing: Sharing;
  readonly #cursors: Cursors;
  readonly #outline: Outline;
  #minimap: Minimap | undefined;
  readonly pending = new PendingActions(id => this.#redraw(id));
  readonly drops = new Drops(this);
  /** Comes with what is loaded later. */
  carry: Carry | null = null;
  #foretelling: Foretelling | null = null;
  readonly #unfolded = new Set<string>();
  readonly #undos: (() => void)[];
  readonly #mapPace = new Pacer<void>(MAP_MS, () => this.#minimap?.draw(this.state));
  readonly #outlinePace = new Pacer<void>(OUTLINE_MS, () => this.#outline.draw());
  #frame = 0;
  #dots = 0;

  constructor({ board, state, commands, local }: CanvasProps) {
    this.board = board;
    this.state = state;
    this.commands = commands;
    this.local = local;
    this.chrome = new Chrome(board);
    this.scene = new Scene(
      {
        now: () => Date.now(),
        isWritable: () => board.isWritable,
        isUnfolded: id => this.#unfolded.has(id),
        trouble: id => this.pending.trouble(id),
        isWaiting: id => this.pending.isWaiting(id),
        measured: () => this.schedule(),
      },
      state,
    );
    this.#sharing = new Sharing(board.awareness, this.scene);
    this.#marks = new Marks(this.scene);
    this.tip = new Tip(this.scene);
    this.overlay = new Overlay(this.scene);
    this.editor = new Editor(this.scene, this.overlay.root);
    this.#cursors = new Cursors(this.scene, board.awareness, (readers: ReadonlyMap<string, readonly Presence[]>) => {
      this.scene.setReaders(readers);
      this.schedule();
    });
    this.#outline = new Outline(this.scene, id => this.focus(id));
    this.root = h(
      'div',
      {
        class: 'agor-board',
        tabindex: 0,
        role: 'application',
        'aria-roledescription': 'board',
        'aria-label': 'Board. Tab goes from card to card, Enter opens, question mark lists all keys',
        'data-tool': local.tool,
        'data-host': local.host,
      },
      this.scene.root,
      this.#cursors.root,
      this.overlay.root,
      this.tip.root,
      this.#outline.root,
    );
    this.viewport = new Viewport(this.root, this.scene, local, {
      moved: () => {
        this.schedule();
        this.#sharing.view();
      },
      rested: () => this.#rested(),
    });
    this.pointer = new PointerInput(this);
    this.#shortcuts = new Shortcuts(this);
    this.#undos = [this.pointer.listen(), this.#shortcuts.listen(), board.subscribe(() => this.readBoard()), this.#watchSize(), this.#tick()];
    this.readBoard();
    this.#markSelection(new Set());
    this.#cursors.read();
  }

  update({ commands, local, state }: CanvasProps): void {
    this.commands = commands;
    const isNews = state !== this.state;
    if (isNews) {
      this.state = state;
      this.scene.setState(state);
      this.#mapPace.ask();
      this.#outlinePace.ask();
      this.#watch();
    }
    const before = this.local;
    this.local = local;
    if (local !== before) {
      this.root.dataset['tool'] = local.tool;
      this.root.dataset['host'] = local.host;
      if (local.selection !== before.selection) {
        this.#markSelection(before.selection);
        this.#sharing.set('selection', [...local.selection]);
      }
      if (local.openSessionId !== before.openSessionId) {
        this.#marks.open(before.openSessionId, local.openSessionId, state);
        this.#sharing.set('reading', local.openSessionId);
      }
      this.viewport.localChanged(before, local, () => this.scene.layout.boxOf(this.#shortcuts.focused() ?? ''));
    }
    const isFiltered = local.filter !== '' || local.only !== 'all';
    if (local.filter !== before.filter || local.only !== before.only || isFiltered) this.#markFilter();
    this.schedule();
  }

  /** The document changed, or has just been changed from here. */
  readBoard(): void {
    const view = this.board.getView();
    this.scene.setObjects(view);
    this.root.toggleAttribute('data-empty', this.scene.items.size === 0);
    if (view.isSynced) this.viewport.boardChanged();
    this.#mapPace.ask();
    this.#outlinePace.ask();
    this.chrome.update();
    this.#markFilter();
    this.schedule();
  }

  #markSelection(before: ReadonlySet<string>): void {
    const { selection } = this;
    this.#marks.selection(before, selection);
    this.overlay.select(selection.size === 1 && this.board.isWritable ? ([...selection][0] ?? null) : null);
  }

  #markFilter(): void {
    this.chrome.setStanding(this.#marks.filter(this.local, this.state));
  }

  #watch(): void {
    const ids = this.#marks.watched(this.state);
    if (ids) this.commands.watch(ids);
  }

  #watchSize(): () => void {
    if (typeof ResizeObserver === 'undefined') return () => undefined;
    const observer = new ResizeObserver(() => {
      if (!this.viewport.resized(() => this.readBoard())) return;
      this.schedule();
      this.#sharing.view();
    });
    observer.observe(this.root);
    return () => observer.disconnect();
  }

  #tick(): () => void {
    let ticks = 0;
    const timer = setInterval(() => {
      if (document.hidden) return;
      this.scene.tick(++ticks % AGES === 0);
      this.schedule();
    }, TICK_MS);
    return () => clearInterval(timer);
  }

  // What tools, keys and things on the board ask for

  get selection(): ReadonlySet<string> {
    return this.local.selection;
  }

  get cursor(): Sharing['cursor'] {
    return this.#sharing.cursor;
  }

  get camera(): Camera {
    return this.scene.camera;
  }

  setCamera(camera: Camera): void {
    this.viewport.move(camera);
  }

  touch(): void {
    this.viewport.touch();
  }

  hint = (text: string): void => this.chrome.hint(text);

  say(text: string): void {
    // The line of the hint is read out, too.
    this.chrome.hint(text);
  }

  foretell(zoneId: string | null, ids: readonly string[], isAlt = false): void {
    this.#foretelling?.show(zoneId, ids, isAlt);
  }

  land(changes: Changes, run: boolean): void {
    this.drops.land(changes, run);
  }

  share(held: Readonly<Record<string, Point>> | null): void {
    this.#cursors.setMine(new Set(held ? Object.keys(held) : []));
    this.#sharing.held(held);
  }

  setDragging(isDragging: boolean): void {
    if (isDragging) this.root.dataset['dragging'] = 'yes';
    else delete this.root.dataset['dragging'];
    this.overlay.refresh();
  }

  edit(id: string): void {
    if (!this.board.isWritable) return;
    // The thing may have been added in this very turn of the loop.
    this.readBoard();
    const object = this.board.getView().objects.get(id);
    const edit = object && viewOf(object).edit(object);
    if (!edit) return;
    // What is written is seen while it is written.
    if (!edit.isLine) this.#bring(id);
    this.editor.open({
      id,
      kind: object.kind,
      of: edit,
      // What was written has room, and one step of undo takes back both.
      commit: change => this.board.change({ [id]: change }),
      close: () => this.root.focus({ preventScroll: true }),
    });
  }

  open(id: string, focusPrompt = false): void {
    const object = this.scene.items.get(id)?.object;
    if (object) viewOf(object).open(id, object, this, focusPrompt);
  }

  /** `stay`: how many cards were meant too, and do not go. */
  remove(ids: readonly string[], stay = 0): void {
    if (!this.board.isWritable || ids.length === 0) return;
    const objects = ids.map(id => this.board.getView().objects.get(id)).filter(object => object !== undefined);
    const [only] = objects;
    const what = objects.length > 1 || !only ? texts.keys.deleted.things(objects.length) : viewOf(only).deleted(only);
    this.commands.select([]);
    this.board.remove(ids);
    this.root.focus({ preventScroll: true });
    this.chrome.hint(null);
    this.commands.toast({ text: stay ? `${what}. ${texts.keys.stays(stay)}` : what, undo: () => this.board.undo() });
  }

  unfold(id: string): void {
    this.#unfolded.add(id);
    this.#redraw(id);
  }

  dismiss(id: string): void {
    this.pending.dismiss(id);
  }

  openMenu(id: string): void {
    this.commands.select([id]);
  }

  run(id: string | null, job: () => Promise<void>): void {
    this.pending.run(id, job);
  }

  // What panels ask for

  /** Takes in what is not needed before the board stands. */
  equip({ Carry, Foretelling, Minimap }: Equipment): void {
    if (this.carry) return;
    this.#minimap = new Minimap(this.scene, camera => this.setCamera(camera));
    this.tip.root.after(this.#minimap.root);
    this.#mapPace.ask();
    this.carry = new Carry(this);
    this.#foretelling = new Foretelling(this.scene, (worktree, zone) => this.commands.previewDrop(worktree, zone));
    this.overlay.root.append(this.#foretelling.root);
  }

  /** What a colleague looks at. */
  lookAt(seen: NonNullable<Presence['viewport']>): void {
    this.viewport.lookAt(seen);
  }

  /** Keeps a thing in view when a panel opens beside the board. */
  show(id: string): void {
    this.viewport.show(id);
  }

  /** Where a new card should lie, in board units. */
  place(): Point {
    return this.viewport.freePlace();
  }

  nextNeed(): void {
    this.#shortcuts.nextNeed();
  }

  /** Brings a thing into view and gives it the keyboard. */
  focus(id: string): void {
    this.#bring(id);
    this.scene.items.get(id)?.element?.focus({ preventScroll: true });
  }

  #bring(id: string): void {
    const item = this.scene.items.get(id);
    if (!item) return;
    this.viewport.reveal(boxOf(item));
    this.#draw();
  }

  // Drawing

  schedule(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #redraw(id: string): void {
    this.scene.redraw([id]);
    this.schedule();
  }

  #draw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const { camera } = this.scene;
    this.scene.sync();
    this.#cursors.refresh();
    this.#minimap?.refresh();
    this.editor.refresh();
    this.overlay.refresh();
    this.#foretelling?.refresh();
    this.#drawDots(camera);
    this.chrome.update({ percent: Math.round(camera.zoom * 100) });
    if (!this.viewport.isMoving) this.#rested();
    if (this.scene.isBehind) this.schedule();
  }

  /** What costs a layout, or a request, waits until the view is still. */
  #rested(): void {
    this.scene.findClipped();
    this.#watch();
  }

  #drawDots({ x, y, zoom }: Camera): void {
    const step = 20 * zoom * 2 ** Math.max(0, Math.ceil(Math.log2(0.6 / zoom)));
    const { style } = this.root;
    if (step !== this.#dots) {
      this.#dots = step;
      style.backgroundSize = `${step}px ${step}px`;
    }
    style.backgroundPosition = `${x % step}px ${y % step}px`;
  }

  destroy(): void {
    cancelAnimationFrame(this.#frame);
    this.drops.stop();
    this.viewport.destroy();
    this.chrome.destroy();
    for (const undo of this.#undos) undo();
    for (const pace of [this.#mapPace, this.#outlinePace]) pace.stop();
    this.#sharing.destroy();
    this.editor.close(true);
    this.#cursors.destroy();
    this.scene.destroy();
    this.root.remove();
  }
}
