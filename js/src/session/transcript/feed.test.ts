// The earlier part of a long transcript.
import { expect, test } from 'vitest';

import type { Event } from '../../protocol/generated.js';
import { openFeed } from './feed.js';

const LAST = 9000;

/** A server that has `LAST` events, and answers when it is let. */
function server() {
  const asked: number[] = [];
  let gate: Promise<void> = Promise.resolve();
  const get = async (path: string, { query }: { query?: Record<string, unknown> } = {}) => {
    if (!path.endsWith('/events')) return { items: [] };
    const after = Number(query?.['after']);
    asked.push(after);
    await gate;
    const count = Math.min(Number(query?.['limit']), LAST - after);
    const items = Array.from({ length: count }, (_, i) => ({
      n: after + i + 1,
      seq: after + i + 1,
      at: '2026-01-01T00:00:00Z',
      sessionId: 'se_1',
      turnId: null,
      body: { kind: 'thought', text: `${after + i + 1}` },
    })) as unknown as Event[];
    return { items, lastSeq: LAST };
  };
  return { asked, http: { get } as unknown as Parameters<typeof openFeed>[0], hold: (wait: Promise<void>) => (gate = wait) };
}

const settled = async (isDone: () => boolean) => {
  while (!isDone()) await new Promise(resolve => setTimeout(resolve));
};

test('is fetched once, however often it is asked for while it comes', async () => {
  const { asked, http, hold } = server();
  const feed = openFeed(http, 'se_1', LAST);
  await settled(() => !feed.getState().isLoading);
  asked.length = 0;
  let open: () => void = () => undefined;
  hold(new Promise<void>(resolve => (open = resolve)));

  const first = feed.loadEarlier();
  const second = feed.loadEarlier();
  open();
  await Promise.all([first, second]);

  expect(asked).toEqual([3000, 4000, 5000]);
  expect(feed.getState().hasEarlier).toBe(true);
});

test('ends at the beginning, and is not asked for beyond it', async () => {
  const { asked, http } = server();
  const feed = openFeed(http, 'se_1', LAST);
  await settled(() => !feed.getState().isLoading);
  await feed.loadEarlier();
  await feed.loadEarlier();
  expect(feed.getState().hasEarlier).toBe(false);
  asked.length = 0;

  await feed.loadEarlier();

  expect(asked).toEqual([]);
});

test('is nothing once the transcript is closed', async () => {
  const { http } = server();
  const feed = openFeed(http, 'se_1', LAST);
  await settled(() => !feed.getState().isLoading);
  const before = feed.getState();

  const earlier = feed.loadEarlier();
  feed.close();
  await earlier;

  expect(feed.getState()).toBe(before);
});
