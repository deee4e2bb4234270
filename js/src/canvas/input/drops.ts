// Cards that come into another zone. Whatever moved them (a pointer, arrows, a carry, undo) ends here: the layout moves at once, the zone
// is told by one command for each card, and what is refused is put back and says why. What a zone does by itself fires nothing.
import type { Changes } from '../../store/types';
import { texts } from '../../texts';
import { viewOf } from '../objects';
import type { Scene } from '../scene/scene';
import type { Point } from '../types';
import type { ActionHost } from './actions';
import { type PendingActions, sentenceOf } from './pending';

/** Arrows are pressed many times: the card is let go of when they rest. */
const REST_MS = 1000;

interface Lay extends Point {
  readonly zone: string | null;
}

export interface DropsHost extends ActionHost {
  readonly scene: Scene;
  readonly pending: PendingActions;
  readBoard(): void;
  hint(text: string): void;
  /** Tells what would run in this zone; `null` ends it. */
  foretell(zoneId: string | null, ids: readonly string[]): void;
}

export class Drops {
  readonly #host: DropsHost;
  /** Cards go one after the other, in the order in which they were let go of. */
  #last: Promise<void> = Promise.resolve();
  #nudged: ReadonlyMap<string, Lay> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: DropsHost) {
    this.#host = host;
  }

  /** Moves things to where they were let go of. `run`: what their new zone starts, starts. */
  land(changes: Changes, run = true): void {
    this.rest();
    this.#after(() => this.#host.board.change(changes), run, changes);
  }

  /** Moves things a little. They are let go of when no further step comes. */
  nudge(changes: Changes): void {
    const { board, readBoard } = this.#host;
    this.#nudged ??= this.#lays();
    board.change(changes);
    readBoard.call(this.#host);
    const [first, ...more] = this.#moved(this.#nudged, this.#lays());
    this.#host.foretell(first?.to.zone ?? null, first ? [first, ...more].map(({ id }) => id) : []);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.rest(), REST_MS);
  }

  /** What was nudged is let go of now. */
  rest(): void {
    const before = this.#nudged;
    clearTimeout(this.#timer);
    this.#nudged = null;
    if (!before) return;
    this.#host.foretell(null, []);
    this.#tell(before, true);
  }

  /** What was nudged goes back to where it was. False: nothing was. */
  unNudge(): boolean {
    const before = this.#nudged;
    if (!before) return false;
    clearTimeout(this.#timer);
    this.#nudged = null;
    this.#host.foretell(null, []);
    const now = this.#lays();
    const moved = [...before].filter(([id, { x, y }]) => now.get(id)?.x !== x || now.get(id)?.y !== y);
    this.#host.board.change(Object.fromEntries(moved.map(([id, { x, y }]) => [id, { x, y }])));
    this.#host.readBoard();
    return true;
  }

  /** Back and forth in what this person did to the layout. A card that changes its zone by it starts nothing. */
  step(job: () => void): void {
    this.rest();
    this.#after(job, false);
  }

  /** Nothing is told any more. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #after(job: () => void, run: boolean, changes?: Changes): void {
    const before = this.#lays();
    job();
    this.#host.readBoard();
    this.#tell(before, run, changes);
  }

  /** Where each card lies, and in which zone. */
  #lays(): Map<string, Lay> {
    const { items, layout } = this.#host.scene;
    const zones = new Map<string, string>();
    for (const [zone, ids] of layout.members()) for (const id of ids) zones.set(id, zone);
    const lays = new Map<string, Lay>();
    for (const { id, object } of items.values())
      if (viewOf(object).worktree(object)) lays.set(id, { x: object.x, y: object.y, zone: zones.get(id) ?? null });
    return lays;
  }

  /** A card that was itself moved, and lies in another zone by that: not one that its zone carried along, or that a zone was drawn around. */
  #moved(before: ReadonlyMap<string, Lay>, now: ReadonlyMap<string, Lay>): { id: string; from: Lay; to: Lay }[] {
    const { items } = this.#host.scene;
    return [...now].flatMap(([id, to]) => {
      const from = before.get(id);
      const isMoved = from && from.zone !== to.zone && (from.x !== to.x || from.y !== to.y);
      // A zone that was taken away or brought back is no move of its cards.
      return isMoved && (from.zone === null || items.has(from.zone)) ? [{ id, from, to }] : [];
    });
  }

  #tell(before: ReadonlyMap<string, Lay>, run: boolean, changes: Changes = {}): void {
    const { scene } = this.#host;
    const rank = scene.layout.ranks();
    const moved = this.#moved(before, this.#lays())
      // What a moved zone carried keeps its zone, whatever it lies over now.
      .filter(({ from }) => from.zone === null || changes[from.zone]?.['x'] === undefined)
      .sort((a, b) => (rank.get(a.id) ?? 0) - (rank.get(b.id) ?? 0));
    for (const { id, from, to } of moved) this.#send(id, from, to, run);
  }

  #send(id: string, from: Lay, to: Lay, run: boolean): void {
    const { board, commands, pending, scene, state } = this.#host;
    const object = scene.items.get(id)?.object;
    const worktree = object && viewOf(object).worktree(object);
    // A card whose worktree is not on this machine is layout only.
    if (!worktree || !state.worktrees.has(worktree.id)) return;
    pending.say(id, null);
    const { zone: zoneId, x, y } = to;
    this.#last = this.#last.then(async () => {
      try {
        await commands.dropCard(worktree.id, { zoneId, x, y, run });
      } catch (error) {
        const now = board.getView().objects.get(id);
        if (now?.x === x && now.y === y) board.putBack({ [id]: { x: from.x, y: from.y } });
        const text = sentenceOf(error);
        pending.say(id, { title: texts.zone.notMoved, text });
        // Far out a card has no room for it.
        if (scene.detail !== 'full') this.#host.hint(text);
      }
    });
  }
}
