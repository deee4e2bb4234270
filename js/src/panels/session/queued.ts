// Prompts that wait, as they are moved by key: the one that was queued last, also before the server has told of it.
import { useEffect, useRef } from 'react';

import type { Session, Turn } from '../../protocol/generated.js';
import { useShared } from '../context.js';

/** The queue with one prompt moved by so many places, and no further than to its ends. */
export function moved(queue: readonly string[], id: string, by: number): string[] {
  const rest = queue.filter(other => other !== id);
  rest.splice(Math.max(0, Math.min(rest.length, queue.indexOf(id) + by)), 0, id);
  return rest;
}

const isSame = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((id, index) => id === b[index]);

export interface LastQueued {
  /** A prompt is on its way. What it became is told by `came`; `null`: it did not come. */
  readonly sent: () => void;
  readonly came: (turn: Turn | null) => void;
  /** False: there is nothing to move. */
  readonly move: (step: -1 | 1) => boolean;
}

/** Keys that come before the prompt is in the queue are kept, and done when it is. `reorder` answers whether it was done. */
export function useLastQueued(session: Session, reorder: (queue: string[]) => Promise<boolean>): LastQueued {
  const shared = useShared();
  const { queue } = session;
  const state = useRef<{ id: string | null; isSending: boolean; steps: number; asked: readonly string[] | null }>({
    id: null,
    isSending: false,
    steps: 0,
    asked: null,
  });

  const flush = () => {
    const { id, steps, isSending } = state.current;
    if (isSending || id === null || steps === 0) return;
    const now = state.current.asked ?? queue;
    if (!now.includes(id)) {
      // It may have begun at once, or been taken back.
      const turn = shared.turns.get(id);
      if (turn && turn.state !== 'queued') state.current.steps = 0;
      return;
    }
    state.current.steps = 0;
    const next = moved(now, id, steps);
    if (isSame(next, now)) return;
    state.current.asked = next;
    void reorder(next).then(isDone => {
      if (!isDone) state.current.asked = null;
    });
  };
  const order = queue.join();
  useEffect(() => {
    // What the server says counts, whoever asked for it.
    state.current.asked = null;
  }, [order]);
  useEffect(flush);
  useEffect(() => {
    state.current = { id: null, isSending: false, steps: 0, asked: null };
  }, [session.id]);

  return {
    sent: () => void (state.current.isSending = true),
    came: turn => {
      state.current.isSending = false;
      if (turn) state.current.id = turn.id;
      else state.current.steps = 0;
      flush();
    },
    move: step => {
      const own = queue.filter(id => shared.turns.get(id)?.createdBy.username === shared.me?.person.username);
      const { id, isSending } = state.current;
      if (!isSending && (id === null || !(queue.includes(id) || isOnItsWay(id)))) state.current.id = own.at(-1) ?? null;
      if (!isSending && state.current.id === null) return false;
      state.current.steps += step;
      flush();
      return true;
    },
  };

  function isOnItsWay(id: string): boolean {
    const turn = shared.turns.get(id);
    return turn === undefined || turn.state === 'queued';
  }
}
