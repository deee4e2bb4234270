// What the keys of the board do, which `keyboard.ts` names. What cannot be done says why.
import type { LocalState } from '../../store/types';
import { texts } from '../../texts';
import { visibleBox } from '../camera/camera';
import type { Viewport } from '../camera/viewport';
import { neighbour } from '../layout/geometry';
import { viewOf } from '../objects';
import type { Scene } from '../scene/scene';
import { carried, landings } from '../tools/select';
import type { Point } from '../types';
import type { ActionHost } from './actions';
import type { Carry } from './carry';
import type { Drops } from './drops';
import type { KeyAction } from './keyboard';
import { actionOf } from './keyboard';
import type { PointerInput } from './pointer';
import { idOf, isField } from './pointer';
import { mainSession } from './sessions';

/** A copy lies this much below and to the right. */
const COPY_BY = 24;
const { no, stays } = texts.keys;

export interface ShortcutHost extends ActionHost {
  readonly root: HTMLElement;
  readonly scene: Scene;
  readonly local: LocalState;
  readonly selection: ReadonlySet<string>;
  readonly viewport: Viewport;
  readonly pointer: PointerInput;
  hint(text: string): void;
  open(id: string, focusPrompt?: boolean): void;
  /** Brings a thing into view and gives it the keyboard. */
  focus(id: string): void;
  readBoard(): void;
  remove(ids: readonly string[], stay?: number): void;
  readonly carry: Carry | null;
  readonly drops: Drops;
}

export class Shortcuts {
  readonly #host: ShortcutHost;

  constructor(host: ShortcutHost) {
    this.#host = host;
  }

  /** Returns its own undo. */
  listen(): () => void {
    const end = new AbortController();
    const { signal } = end;
    const { root } = this.#host;
    root.addEventListener('keydown', event => this.#key(event), { signal });
    root.addEventListener('keyup', event => event.key === ' ' && this.#setPanKey(false), { signal });
    window.addEventListener('blur', () => this.#setPanKey(false), { signal });
    // What is carried or nudged is let go of when the board loses the keyboard.
    root.addEventListener('focusout', event => !root.contains(event.relatedTarget as Node | null) && this.#letGo(), { signal });
    return () => end.abort();
  }

  #letGo(): void {
    if (this.#host.carry?.isUnderWay) this.#host.carry.end();
    this.#host.drops.rest();
  }

  /** The thing that has the keyboard. */
  focused(): string | null {
    const active = document.activeElement;
    return this.#host.root.contains(active) ? (idOf(active) ?? null) : null;
  }

  /** While Space is down any tool pans. */
  #setPanKey(isDown: boolean): void {
    const { pointer, root } = this.#host;
    pointer.isPanKeyDown = isDown;
    if (isDown) root.dataset['space'] = 'yes';
    else delete root.dataset['space'];
  }

  #key(event: KeyboardEvent): void {
    const { target, key } = event;
    if (isField(target)) return;
    const isButton = target instanceof HTMLButtonElement;
    if (this.#host.carry?.key(event)) {
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    if (key === ' ' && !isButton) {
      event.preventDefault();
      event.stopPropagation();
      this.#setPanKey(true);
      return;
    }
    if (isButton && (key === 'Enter' || key === ' ' || key === 'Tab')) return;
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    const action = actionOf(event);
    if (action && this.#act(action)) {
      event.preventDefault();
      event.stopPropagation();
    } else if (isPlain && key !== 'Tab') event.stopPropagation();
  }

  /** False: the key was not used, and goes its usual way. */
  #act(action: KeyAction): boolean {
    const host = this.#host;
    const { board, commands, selection, viewport } = host;
    const id = this.focused() ?? (selection.size === 1 ? ([...selection][0] ?? null) : null);
    switch (action.do) {
      case 'tool':
        commands.setTool(action.tool);
        break;
      case 'next':
      case 'previous':
        return this.#step(action.do === 'next' ? 1 : -1);
      case 'arrow':
        this.#arrow(action.direction, action.by);
        break;
      case 'open':
        if (id === null) host.hint(no.card);
        else host.open(id);
        break;
      case 'close':
        this.#close();
        break;
      case 'fit':
        viewport.fit();
        break;
      case 'zoom-selection':
        if (selection.size) viewport.zoomTo(selection);
        else host.hint(no.selection);
        break;
      case 'actual':
        viewport.actualSize();
        break;
      case 'zoom-in':
      case 'zoom-out':
        viewport.zoomBy(action.do === 'zoom-in' ? 1.25 : 0.8);
        break;
      case 'answer':
        this.#atWorktree(id, (worktree, card) => this.#answer(card, worktree, action.with));
        break;
      case 'new-worktree':
        if (this.#maySteer()) commands.openDialog('worktree');
        break;
      case 'new-session':
        this.#atWorktree(id, worktree => this.#maySteer() && commands.openDialog('session', { worktreeId: worktree }));
        break;
      case 'prompt':
        this.#atWorktree(id, (_, card) => host.open(card, true));
        break;
      case 'changes':
        this.#atWorktree(id, worktree => commands.openDiff(worktree), true);
        break;
      case 'carry':
        this.#carry();
        break;
      case 'archive':
        this.#archive(id);
        break;
      case 'delete':
        this.#delete();
        break;
      case 'duplicate':
        this.#duplicate();
        break;
      case 'undo':
        if (board.canUndo) host.drops.step(() => board.undo());
        else host.hint(no.undo);
        break;
      case 'redo':
        if (board.canRedo) host.drops.step(() => board.redo());
        else host.hint(no.redo);
        break;
      case 'select-all':
        commands.select(host.scene.layout.contents().map(({ id: one }) => one));
        break;
      default:
        action satisfies never;
    }
    return true;
  }

  #maySteer(): boolean {
    if (this.#host.state.me?.role !== 'viewer') return true;
    this.#host.hint(no.rights);
    return false;
  }

  #worktreeOf(id: string | null): { readonly id: string; readonly label: string } | null {
    const object = id === null ? undefined : this.#host.scene.items.get(id)?.object;
    return object ? viewOf(object).worktree(object) : null;
  }

  /** Does it at the card that is meant, if its worktree can be worked in, or for `isShown` if there is one to be seen. */
  #atWorktree(id: string | null, job: (worktreeId: string, cardId: string) => void, isShown = false): void {
    const host = this.#host;
    const named = this.#worktreeOf(id);
    if (id === null || !named) {
      host.hint(no.card);
      return;
    }
    const worktree = host.state.worktrees.get(named.id);
    if (!worktree) host.hint(no.absent(named.label));
    else if (isShown || worktree.state === 'ready') job(worktree.id, id);
    else host.hint(no[worktree.state](worktree.name));
  }

  /** The focused card, or all that are selected with it. */
  #archive(id: string | null): void {
    const host = this.#host;
    const ids = id === null || host.selection.has(id) ? [...host.selection] : [id];
    const cards = ids.filter(one => this.#worktreeOf(one));
    if (!cards.length) host.hint(no.card);
    else if (this.#maySteer())
      for (const one of cards) this.#atWorktree(one, (worktree, card) => host.run(card, () => host.commands.archiveWorktree(worktree)));
  }

  #step(by: 1 | -1): boolean {
    const { layout, items } = this.#host.scene;
    const cards = layout.order().filter(id => !items.get(id)?.isContainer);
    const now = this.focused();
    const at = now === null ? (by === 1 ? -1 : cards.length) : cards.indexOf(now);
    const next = cards[at + by];
    // After the last card, and before the first, the focus leaves the board.
    if (next === undefined) return false;
    this.#host.focus(next);
    return true;
  }

  #arrow(direction: 'left' | 'right' | 'up' | 'down', by: number): void {
    const { scene, board, selection } = this.#host;
    if (selection.size && board.isWritable) {
      const dx = direction === 'left' ? -by : direction === 'right' ? by : 0;
      const dy = direction === 'up' ? -by : direction === 'down' ? by : 0;
      const to = new Map<string, Point>();
      for (const id of carried([...selection], scene)) {
        const box = scene.layout.boxOf(id);
        if (box) to.set(id, { x: box.x + dx, y: box.y + dy });
      }
      this.#host.drops.nudge(landings(to, scene));
      return;
    }
    const seen = visibleBox(scene.camera, scene.size);
    const middle = { x: seen.x + seen.width / 2, y: seen.y + seen.height / 2, width: 0, height: 0 };
    const from = scene.layout.boxOf(this.focused() ?? '') ?? middle;
    const next = neighbour(from, direction, scene.layout.contents());
    if (next !== null) this.#host.focus(next);
  }

  #close(): void {
    const { commands, local, pointer, root, selection } = this.#host;
    if (pointer.stop(true) || this.#host.drops.unNudge()) return;
    if (local.tool !== 'select') commands.setTool('select');
    else if (local.openDiffId !== null) commands.openDiff(null);
    else if (local.openSessionId !== null) commands.openSession(null);
    else if (selection.size) commands.select([]);
    else root.focus({ preventScroll: true });
  }

  /** What is selected, else what has the keyboard. */
  #meant(): string[] {
    const { selection } = this.#host;
    return selection.size ? [...selection] : [this.focused()].filter(id => id !== null);
  }

  #carry(): void {
    const host = this.#host;
    const cards = this.#meant().filter(id => this.#worktreeOf(id));
    if (!cards.length) host.hint(no.card);
    else if (!host.board.isWritable) host.hint(no.layout);
    else if (this.#maySteer()) {
      host.drops.rest();
      host.carry?.start(cards);
    }
  }

  #delete(): void {
    const host = this.#host;
    if (!host.board.isWritable) {
      host.hint(no.layout);
      return;
    }
    const ids = this.#meant();
    const gone: string[] = [];
    const stay: string[] = [];
    const away: (readonly [string, string])[] = [];
    for (const id of ids) {
      const object = host.scene.items.get(id)?.object;
      const removal = object ? viewOf(object).removal(object, host.state) : 'stay';
      const worktree = this.#worktreeOf(id);
      if (removal === 'delete') gone.push(id);
      else if (removal === 'take-off' && worktree) away.push([id, worktree.id]);
      else stay.push(id);
    }
    if (gone.length) {
      host.remove(gone, stay.length);
      // They can be archived at once.
      host.commands.select(stay);
    } else if (stay.length) host.hint(stays(stay.length));
    else if (!ids.length) host.hint(no.selection);
    for (const [id, worktree] of away) host.run(id, () => host.commands.takeOffBoard(worktree));
  }

  /** Notes and zones; the copies are selected, so that they can be moved at once. */
  #duplicate(): void {
    const host = this.#host;
    const { board, commands } = host;
    const ids = this.#meant();
    const { objects } = board.getView();
    const copies = ids.map(id => objects.get(id)).filter(object => object !== undefined && viewOf(object).canCopy);
    if (!ids.length) host.hint(no.selection);
    else if (!copies.length) host.hint(no.duplicate);
    else if (!board.isWritable) host.hint(no.layout);
    else {
      const made = board.addAll(copies.flatMap(object => (object ? [{ ...object, x: object.x + COPY_BY, y: object.y + COPY_BY }] : [])));
      host.readBoard();
      commands.select(made);
      if (made[0] !== undefined) host.focus(made[0]);
    }
  }

  #answer(id: string, worktreeId: string, kind: 'allow_once' | 'allow_always' | 'reject_once'): void {
    const { commands, state } = this.#host;
    const session = mainSession(worktreeId, state);
    const open = session === null ? null : (state.sessions.get(session)?.openPermissionId ?? null);
    const permission = open === null ? undefined : state.permissions.get(open);
    if (open === null || !permission) {
      this.#host.hint(no.question);
      return;
    }
    const option = permission.options.find(o => o.kind === kind);
    // Files are read before they are trusted, and what an “always” covers is said in the panel.
    if (!option || permission.files || kind === 'allow_always') commands.openSession(session);
    else if (state.me?.role !== 'owner') this.#host.hint(no.rights);
    else this.#host.run(id, () => commands.answer(open, option.id));
  }

  /** To the next thing that waits for a person. */
  nextNeed(): void {
    const { scene } = this.#host;
    const order = scene.layout.order();
    const from = order.indexOf(this.focused() ?? '');
    for (let i = 1; i <= order.length; i++) {
      const id = order[(from + i + order.length) % order.length];
      const item = id === undefined ? undefined : scene.items.get(id);
      if (item && scene.describe(item).mark === 'needs') {
        this.#host.focus(item.id);
        return;
      }
    }
    this.#host.hint(no.need);
  }
}
