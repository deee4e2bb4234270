// What has to be drawn again after a change, and how much higher it may have become by it.
import type { BoardState, Presence } from '../../store/types';
import type { Item } from '../layout/item';
import type { Layout } from '../layout/layout';
import { viewOf } from '../objects';
import type { ViewContext } from '../types';

/** The worktrees whose cards may look otherwise after a change of the state; `null`: all may. */
export const changedWorktrees = (before: BoardState, state: BoardState): ReadonlySet<string> | null => {
  if (before.agents !== state.agents || before.me !== state.me || before.isLoaded !== state.isLoaded || before.connection !== state.connection)
    return null;
  const changed = new Set<string>();
  const compare = <T>(old: ReadonlyMap<string, T>, now: ReadonlyMap<string, T>, of: (value: T, id: string) => string): void => {
    if (old === now) return;
    for (const [id, value] of now) if (old.get(id) !== value) changed.add(of(value, id));
    for (const [id, value] of old) if (!now.has(id)) changed.add(of(value, id));
  };
  const worktreeOf = ({ worktreeId }: { readonly worktreeId: string }): string => worktreeId;
  compare(before.worktrees, state.worktrees, (_, id) => id);
  compare(before.sessions, state.sessions, worktreeOf);
  compare(before.permissions, state.permissions, worktreeOf);
  compare(before.turns, state.turns, worktreeOf);
  compare(before.firings, state.firings, worktreeOf);
  compare(before.environments, state.environments, worktreeOf);
  compare(before.budgets, state.budgets, ({ subject }) => subject);
  // A place in the line is that of all sessions that wait.
  if (before.sessions !== state.sessions && isQueueMoved(before, state))
    for (const session of state.sessions.values()) if (session.state === 'queued') changed.add(session.worktreeId);
  return changed;
};

const isQueueMoved = (before: BoardState, state: BoardState): boolean => {
  for (const [id, session] of state.sessions) {
    const old = before.sessions.get(id);
    if (old !== session && (old?.state === 'queued') !== (session.state === 'queued')) return true;
  }
  return false;
};

/** The sessions that other people began or ceased to read. */
export const changedReaders = (before: ReadonlyMap<string, readonly Presence[]>, now: ReadonlyMap<string, readonly Presence[]>): Set<string> => {
  const changed = new Set<string>();
  const names = (list: readonly Presence[] | undefined): string => (list ?? []).map(p => p.user.username).join();
  for (const id of new Set([...now.keys(), ...before.keys()])) if (names(now.get(id)) !== names(before.get(id))) changed.add(id);
  return changed;
};

export class Invalidation {
  /** Mounted, and to be drawn again. */
  readonly dirty = new Set<Item>();
  readonly #cards = new Map<string, Set<string>>();
  readonly #layout: Layout;
  readonly #context: () => ViewContext;

  constructor(layout: Layout, context: () => ViewContext) {
    this.#layout = layout;
    this.#context = context;
  }

  /** The ids of the cards of a worktree. */
  cardsOf(worktreeId: string): Iterable<string> {
    return this.#cards.get(worktreeId) ?? [];
  }

  index({ id, object }: Item): void {
    const worktree = viewOf(object).worktree(object)?.id;
    if (worktree === undefined) return;
    const ids = this.#cards.get(worktree);
    if (ids) ids.add(id);
    else this.#cards.set(worktree, new Set([id]));
  }

  unindex({ id, object }: Item): void {
    this.#cards.get(viewOf(object).worktree(object)?.id ?? '')?.delete(id);
  }

  /** It has to be drawn again, at the size that it has. */
  look(item: Item): void {
    if (item.element) this.dirty.add(item);
  }

  /** Its content changed. Unseen it grows by what that should need more: a height that was measured stays true where nothing changed. */
  content(item: Item): void {
    this.look(item);
    if (!item.autoHeight || (item.element && this.#context().detail === 'full')) return;
    const change = this.#guess(item);
    if (change === 0) return;
    item.height = Math.max(1, item.height + change);
    this.#layout.moved(item);
    this.#layout.isUnsettled = true;
  }

  contents(ids: Iterable<string>): void {
    for (const id of ids) {
      const item = this.#layout.items.get(id);
      if (item) this.content(item);
    }
  }

  /** It is about to be out of sight, or drawn smaller: from now on only guesses are made of its height. */
  leave(item: Item): void {
    if (item.drawn !== 'full' || !item.autoHeight) return;
    const change = this.#guess(item);
    if (!item.isMeasured) item.height = Math.max(1, item.height + change);
  }

  /** By how much the content grew since the last guess. */
  #guess(item: Item): number {
    const { height } = viewOf(item.object).size(item.object, this.#context());
    const change = height - item.estimate;
    item.estimate = height;
    return change;
  }
}
