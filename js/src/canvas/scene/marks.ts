// What this view marks on the board: what is selected, open or filtered away.
import type { BoardState, LocalState } from '../../store/types';
import { texts } from '../../texts';
import { viewOf } from '../objects';
import type { Scene } from './scene';

/** Worktrees whose git status is asked, at the most. */
const MOST_WATCHED = 50;

export class Marks {
  readonly #scene: Scene;
  #watched = '';

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  selection(before: ReadonlySet<string>, now: ReadonlySet<string>): void {
    for (const id of before) if (!now.has(id)) this.#scene.flag(id, 'selected', null);
    for (const id of now) this.#scene.flag(id, 'selected', 'yes');
  }

  /** The pulse of a question stops while it is open in the panel. */
  open(before: string | null, now: string | null, { sessions }: BoardState): void {
    const flag = (sessionId: string | null, value: string | null): void => {
      const session = sessionId === null ? undefined : sessions.get(sessionId);
      if (session) for (const id of this.#scene.cardsOf(session.worktreeId)) this.#scene.flag(id, 'open', value);
    };
    flag(before, null);
    flag(now, 'yes');
  }

  /** Fades what does not fit. What to say of it as long as nothing fits, else `null`. */
  filter({ filter, only }: LocalState, state: BoardState): string | null {
    const words = filter.trim().toLowerCase();
    let hits = 0;
    for (const { id, object } of this.#scene.items.values()) {
      const text = viewOf(object).searchText(object, state);
      if (text === null) continue;
      const worktree = viewOf(object).worktree(object)?.id ?? '';
      const isHit = (!words || contains(words, text, worktree, state)) && (only === 'all' || fits(only, worktree, state));
      if (isHit) hits += 1;
      this.#scene.flag(id, 'faded', isHit ? null : 'yes');
    }
    if (hits > 0 || this.#scene.items.size === 0) return null;
    return words ? texts.bar.noMatch(words) : only === 'all' ? null : texts.bar.noHit[only];
  }

  /** The worktrees whose cards someone looks at, if they are others than before: git status is asked for those only. */
  watched({ worktrees }: BoardState): readonly string[] | null {
    const ids: string[] = [];
    if (this.#scene.detail !== 'tile') {
      for (const { object } of this.#scene.visible()) {
        const id = viewOf(object).worktree(object)?.id;
        if (id !== undefined && worktrees.get(id)?.state === 'ready') ids.push(id);
      }
    }
    const key = ids.sort().join();
    if (key === this.#watched) return null;
    this.#watched = key;
    return ids.slice(0, MOST_WATCHED);
  }
}

const contains = (words: string, text: string, worktree: string, { sessions, sessionsOf }: BoardState): boolean =>
  text.toLowerCase().includes(words) || (sessionsOf.get(worktree) ?? []).some(id => sessions.get(id)?.title.toLowerCase().includes(words));

const STATES = { needs: ['needs_you'], running: ['running', 'starting', 'stopping'] } as const;

const fits = (only: 'needs' | 'running' | 'mine', worktree: string, { me, sessions, sessionsOf, worktrees }: BoardState): boolean => {
  if (only === 'mine') return worktrees.get(worktree)?.createdBy.username === me?.person.username;
  const states: readonly string[] = STATES[only];
  return (sessionsOf.get(worktree) ?? []).some(id => states.includes(sessions.get(id)?.state ?? ''));
};
