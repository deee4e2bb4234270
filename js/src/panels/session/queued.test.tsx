import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, test } from 'vitest';

import type { Me, Session, Turn } from '../../protocol/generated.js';
import { initialState } from '../../store/apply.js';
import { type AppContext, Context } from '../context.js';
import { type LastQueued, moved, useLastQueued } from './queued.js';

const turnOf = (id: string, state: Turn['state'] = 'queued') => ({ id, state, createdBy: { username: 'mira' } }) as unknown as Turn;

let root: Root;
let last: LastQueued;
let asked: string[][];
/** How the server answers. */
let isTaken: boolean;
let queue: string[];
let turns: Turn[];

function Box({ session }: { session: Session }) {
  last = useLastQueued(session, async next => {
    asked.push(next);
    return isTaken;
  });
  return null;
}

/** What the server told. */
async function tell(next: string[], ...known: Turn[]): Promise<void> {
  queue = next;
  turns = [...turns, ...known];
  const shared = { ...initialState, me: { person: { username: 'mira' } } as Me, turns: new Map(turns.map(turn => [turn.id, turn])) };
  const state = { shared };
  const app = { client: { getState: () => state, subscribe: () => () => undefined } } as unknown as AppContext;
  const session = { id: 'se_1', queue } as unknown as Session;
  await act(async () =>
    root.render(
      <Context.Provider value={app}>
        <Box session={session} />
      </Context.Provider>,
    ),
  );
}

beforeEach(async () => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  root = createRoot(document.createElement('div'));
  [asked, isTaken, turns] = [[], true, []];
});
afterEach(() => act(async () => root.unmount()));

test('a prompt moves by so many places, and no further than to an end', () => {
  expect(moved(['a', 'b', 'c'], 'c', -1)).toEqual(['a', 'c', 'b']);
  expect(moved(['a', 'b', 'c'], 'a', 9)).toEqual(['b', 'c', 'a']);
  expect(moved(['a', 'b', 'c'], 'b', -9)).toEqual(['b', 'a', 'c']);
});

test('keys right after queuing are done when the prompt has come', async () => {
  await tell(['a', 'b'], turnOf('a'), turnOf('b'));

  last.sent();
  expect(last.move(-1)).toBe(true);
  expect(last.move(-1)).toBe(true);
  last.came(turnOf('c'));
  expect(asked).toEqual([]);
  await tell(['a', 'b', 'c'], turnOf('c'));

  expect(asked).toEqual([['c', 'a', 'b']]);
});

test('a second key counts from where the first one moved it, also before the server has told', async () => {
  await tell(['a', 'b', 'c'], turnOf('a'), turnOf('b'), turnOf('c'));

  await act(async () => {
    last.move(-1);
    last.move(-1);
  });

  expect(asked).toEqual([
    ['a', 'c', 'b'],
    ['c', 'a', 'b'],
  ]);
});

test('a move that was refused is no place to count from', async () => {
  isTaken = false;
  await tell(['a', 'b', 'c'], turnOf('a'), turnOf('b'), turnOf('c'));

  await act(async () => void last.move(-1));
  await act(async () => void last.move(-1));

  expect(asked).toEqual([
    ['a', 'c', 'b'],
    ['a', 'c', 'b'],
  ]);
});

test('keys for a prompt that never waited, or did not come, are dropped', async () => {
  await tell([]);
  expect(last.move(-1)).toBe(false);

  last.sent();
  last.move(-1);
  last.came(turnOf('c', 'running'));
  await tell([], turnOf('c', 'running'));
  await tell(['d', 'c'], turnOf('d'));
  last.sent();
  last.move(-1);
  last.came(null);
  await tell(['d', 'c', 'e'], turnOf('e'));

  expect(asked).toEqual([]);
});

test("only one's own prompt is moved", async () => {
  await tell(['a'], { ...turnOf('a'), createdBy: { username: 'jonas' } } as unknown as Turn);

  expect(last.move(-1)).toBe(false);
});
