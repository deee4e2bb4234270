import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { SearchHit } from '../../protocol/generated.js';
import type { FeedState } from '../../session/transcript/feed.js';
import { initialState } from '../../store/apply.js';
import { type AppContext, Context } from '../context.js';
import { Transcript } from '../transcript/Transcript.js';
import { CommandMenu } from './CommandMenu.js';

const hit = {
  sessionId: 'se_1',
  turnId: 'tu_2',
  turnNumber: 2,
  title: 'Load',
  state: 'done',
  snippet: [
    { text: 'we load the ', isMatch: false },
    { text: 'orders', isMatch: true },
  ],
} as unknown as SearchHit;
const block = (turnId: string) => ({ turnId, items: [], startedAt: '2026-01-01T00:00:00Z', ended: null });
const feedOf = (turnIds: string[], hasEarlier: boolean) =>
  ({ blocks: turnIds.map(block), turns: new Map(), isLoading: false, hasEarlier, problem: null, plan: null }) as unknown as FeedState;

let root: Root;
let home: HTMLElement;
let asked: unknown[];
let opened: string[];
let app: AppContext;

beforeEach(() => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  globalThis.ResizeObserver ??= class {
    observe() {}
    unobserve() {}
    disconnect() {}
  };
  Element.prototype.scrollIntoView ??= () => undefined;
  home = document.body.appendChild(document.createElement('div'));
  root = createRoot(home);
  [asked, opened] = [[], []];
  const state = { shared: initialState };
  const http = {
    get: (path: string, options: unknown) => {
      asked.push([path, options]);
      return Promise.resolve({ items: [{ ...hit, turnId: null }, hit], next: null, isComplete: true });
    },
  };
  app = {
    client: { path: 'a.agor', http, getState: () => state, subscribe: () => () => undefined },
    view: { set: () => undefined, getState: () => ({}), subscribe: () => () => undefined },
    commands: { closeDialog: () => undefined, openSession: (id: string) => opened.push(id) },
  } as unknown as AppContext;
});
afterEach(async () => {
  await act(async () => root.unmount());
  home.remove();
});

const show = (what: React.ReactNode) => act(async () => root.render(<Context.Provider value={app}>{what}</Context.Provider>));

test('turns in which the words were said are found, and their session opens at the turn', async () => {
  await show(<CommandMenu />);
  const input = home.querySelector('input') as HTMLInputElement;
  await act(async () => {
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(input, 'orders');
    input.dispatchEvent(new Event('input', { bubbles: true }));
  });
  await act(() => vi.waitFor(() => expect(asked).toHaveLength(1)));

  expect(asked).toEqual([['search', { query: { q: 'orders*', board: 'a.agor', limit: 12 } }]]);
  const rows = [...home.querySelectorAll('[role=option]')].filter(row => row.querySelector('mark'));
  expect(rows.map(row => row.textContent)).toEqual(['Load, turn 2we load the orders']);
  expect(rows[0]?.querySelector('mark')?.textContent).toBe('orders');

  await act(async () => (rows[0] as HTMLElement).click());
  expect(opened).toEqual(['se_1']);

  const earlier = vi.fn(() => new Promise<boolean>(() => undefined));
  const transcript = (feed: FeedState) => (
    <Transcript sessionId="se_1" feed={feed} currentTurnId={null} outcomeTurnId={null} menuOf={null} onEarlier={earlier} />
  );
  await show(transcript(feedOf([], false))); // loaded, and drawn with the next frame
  await show(transcript(feedOf(['tu_3'], true)));
  expect(earlier).toHaveBeenCalledTimes(1);
  await show(transcript(feedOf(['tu_1', 'tu_2', 'tu_3'], false)));
  expect(home.querySelector('[data-pointed]')?.getAttribute('data-turn')).toBe('tu_2');
});
