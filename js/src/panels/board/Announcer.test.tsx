// A new question is spoken once.
import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, test } from 'vitest';

import type { Permission } from '../../protocol/generated.js';
import { initialState } from '../../store/apply.js';
import type { BoardState } from '../../store/types.js';
import { type AppContext, Context } from '../context.js';
import { Announcer } from './Announcer.js';

const ask = (id: string, command: string): Permission =>
  ({ id, sessionId: 'se_1', worktreeId: 'wt_1', toolKind: 'execute', title: command, command, files: null }) as unknown as Permission;

let place: HTMLElement;
let root: Root;
beforeEach(() => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  place = document.body.appendChild(document.createElement('div'));
  root = createRoot(place);
});
afterEach(async () => {
  await act(async () => root.unmount());
  place.remove();
});

async function spoken(...asks: readonly Permission[]): Promise<string> {
  const shared = {
    ...initialState,
    isLoaded: true,
    agents: new Map([['claude', { agent: { name: 'claude', label: 'Claude Code' } }]]),
    sessions: new Map([['se_1', { id: 'se_1', agent: 'claude', worktreeId: 'wt_1' }]]),
    worktrees: new Map([['wt_1', { id: 'wt_1', name: 'Late orders', board: 'a.agor', createdBy: { username: 'ann', name: 'Ann' } }]]),
    permissions: new Map(asks.map(one => [one.id, one])),
  } as unknown as BoardState;
  const state = { shared };
  const client = { path: 'a.agor', getState: () => state, subscribe: () => () => undefined };
  await act(async () =>
    root.render(
      <Context.Provider value={{ client } as unknown as AppContext}>
        <Announcer />
      </Context.Provider>,
    ),
  );
  return place.querySelector('[aria-live="polite"]')?.textContent ?? '';
}

test('with who asks, where, for what, and how many need a person', async () => {
  await spoken();

  expect(await spoken(ask('pe_1', 'rm -r target'))).toBe('Claude Code asks to run a command in Late orders: rm -r target. 1 needs you.');
  expect(await spoken(ask('pe_1', 'rm -r target'), ask('pe_2', 'ls \u202e'))).toBe(
    'Claude Code asks to run a command in Late orders: ls ⟨202E⟩. 2 need you.',
  );
});

test('and not again when another one is answered', async () => {
  await spoken();
  const said = await spoken(ask('pe_1', 'a'), ask('pe_2', 'b'));

  expect(await spoken(ask('pe_1', 'a'))).toBe(said);
});
