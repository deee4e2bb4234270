// The turn at which a session shall be shown when it opens. It is kept beside the view's state, since only what loads later asks for it.
import { useSyncExternalStore } from 'react';

import type { ViewStore } from '../../session/view.js';
import { useApp } from '../context.js';

interface Wanted {
  readonly sessionId: string;
  readonly turnId: string;
}

const wanted = new WeakMap<ViewStore, Wanted>();
const listeners = new Set<() => void>();

/** Show this turn in the panel of its session, once that is open. `null`: it is shown. */
export function revealTurn(view: ViewStore, turn: Wanted | null): void {
  if (turn) wanted.set(view, turn);
  else wanted.delete(view);
  for (const listener of listeners) listener();
}

/** The turn of this session that shall be shown. */
export function useRevealed(sessionId: string): string | null {
  const { view } = useApp();
  const turn = useSyncExternalStore(subscribe, () => wanted.get(view));
  return turn?.sessionId === sessionId ? turn.turnId : null;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
