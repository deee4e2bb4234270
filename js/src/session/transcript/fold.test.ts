import { expect, test } from 'vitest';

import type { Body, Event, Turn } from '../../protocol/generated.js';
import { TranscriptFeed } from './feed.js';
import { emptyView, fold, group } from './fold.js';

const event = (seq: number, body: Body, turnId = 'tu_1'): Event => ({
  n: seq,
  at: new Date(seq * 1000).toISOString(),
  sessionId: 'se_1',
  turnId,
  seq,
  body,
});
const text = (seq: number, piece: string, turnId?: string) => event(seq, { kind: 'text', text: piece, messageId: 'm' }, turnId);
const person = { username: 'ann', name: 'Ann', initials: 'A', color: null };

test('pieces of one message become one text, also over several folds', () => {
  const first = fold(emptyView, [event(1, { kind: 'prompt', text: 'Go', by: person, attachments: [] }), text(2, 'Hel')]);

  const view = fold(first, [text(3, 'lo')]);

  expect(view.blocks[0]?.items.map(item => (item.kind === 'text' ? item.text : item.kind))).toEqual(['prompt', 'Hello']);
});

test('a turn that did not change keeps its identity', () => {
  const first = fold(emptyView, [text(1, 'a', 'tu_1'), text(2, 'b', 'tu_2')]);

  const view = fold(first, [text(3, 'c', 'tu_2')]);

  expect(view.blocks[0]).toBe(first.blocks[0]);
  expect(view.blocks[1]).not.toBe(first.blocks[1]);
});

test('a tool call is one item, however often it is told of', () => {
  const call = {
    kind: 'tool_call',
    toolCallId: 't',
    parentId: null,
    title: null,
    toolKind: null,
    status: null,
    input: null,
    output: null,
    changes: null,
    locations: null,
    exitCode: null,
    mcpTool: null,
  } as const;
  const view = fold(emptyView, [
    event(1, { ...call, title: 'Run', toolKind: 'execute', status: 'in_progress', input: { command: 'ls' } }),
    event(2, { kind: 'tool_output', toolCallId: 't', text: 'a\n' }),
    event(3, { kind: 'tool_output', toolCallId: 't', text: 'b\n' }),
    event(4, { ...call, status: 'completed', exitCode: 0 }),
  ]);

  expect(view.blocks[0]?.items).toHaveLength(1);
  expect(view.blocks[0]?.items[0]).toMatchObject({
    kind: 'tool',
    tool: { title: 'Run', status: 'completed', output: 'a\nb\n', exitCode: 0, input: { command: 'ls' } },
  });
});

test('neighbouring reads are grouped, a lone one is not', () => {
  const read = (seq: number, id: string) =>
    event(seq, {
      kind: 'tool_call',
      toolCallId: id,
      parentId: null,
      title: id,
      toolKind: 'read',
      status: 'completed',
      input: null,
      output: null,
      changes: null,
      locations: null,
      exitCode: null,
      mcpTool: null,
    });
  const view = fold(emptyView, [read(1, 'a'), read(2, 'b'), text(3, 'x'), read(4, 'c')]);

  expect(group(view.blocks[0]?.items ?? []).map(entry => entry.kind)).toEqual(['reads', 'item', 'item']);
});

/** A server that has `all`, and answers pages of it when it is let. */
function server(all: Event[]) {
  const asked: number[] = [];
  return {
    asked,
    get: <T>(path: string, options?: { query?: Record<string, unknown> }): Promise<T> => {
      if (path.endsWith('/turns')) return Promise.resolve([] as Turn[] as T); // what the feed asks for
      const after = Number(options?.query?.['after']);
      asked.push(after);
      return Promise.resolve({ items: all.filter(({ seq }) => (seq ?? 0) > after).slice(0, 1000), lastSeq: all.length } as T); // likewise
    },
  };
}
const settle = () => new Promise(resolve => setTimeout(resolve, 5));
const said = (feed: TranscriptFeed) =>
  feed
    .getState()
    .blocks.flatMap(({ items }) => items)
    .map(item => (item.kind === 'text' ? item.text : ''))
    .join('');

test('history and live events join without a gap or a double', async () => {
  const all = [text(1, 'a'), text(2, 'b'), text(3, 'c')];
  const feed = new TranscriptFeed(server(all), 'se_1', 3, paint => paint());
  feed.take([text(3, 'c'), text(4, 'd')]); // comes while the history is loading
  await settle();

  feed.take([text(4, 'd'), text(5, 'e')]);
  await settle();

  expect(said(feed)).toBe('abcde');
});

test('a gap in the live events is filled from the server', async () => {
  const all = [text(1, 'a')];
  const host = server(all);
  const feed = new TranscriptFeed(host, 'se_1', 1, paint => paint());
  await settle();
  all.push(text(2, 'b'), text(3, 'c'));

  feed.take([text(3, 'c')]);
  await settle();

  expect(said(feed)).toBe('abc');
  expect(host.asked).toEqual([0, 1]);
});

test('a call of a subagent names the call that started it, and is grouped with its own only', () => {
  const call = (seq: number, toolCallId: string, parentId: string | null, title: string) =>
    event(seq, {
      kind: 'tool_call',
      toolCallId,
      parentId,
      title,
      toolKind: 'read',
      status: 'completed',
      input: null,
      output: null,
      changes: null,
      locations: null,
      exitCode: null,
      mcpTool: null,
    });

  const view = fold(emptyView, [call(1, 'own', null, 'Find it'), call(2, 'a', 'own', 'a'), call(3, 'b', 'own', 'b')]);

  const items = view.blocks[0]?.items ?? [];
  expect(items.map(item => item.kind === 'tool' && item.tool.parent)).toEqual([null, 'Find it', 'Find it']);
  expect(group(items).map(entry => (entry.kind === 'reads' ? entry.tools.length : 1))).toEqual([1, 2]);
});

test('a call of a subagent that goes on after the turn still names the call that started it', () => {
  const call = (seq: number, toolCallId: string, parentId: string | null, title: string): Event => ({
    ...event(seq, {
      kind: 'tool_call',
      toolCallId,
      parentId,
      title,
      toolKind: 'execute',
      status: 'pending',
      input: null,
      output: null,
      changes: null,
      locations: null,
      exitCode: null,
      mcpTool: null,
    }),
    turnId: parentId === null ? 'tu_first' : 'tu_second',
  });

  const events = [call(1, 'own', null, 'Find it'), call(2, 'late', 'own', 'rm -r build'), call(3, 'lost', 'unknown', 'ls')];
  const live = fold(fold(emptyView, events.slice(0, 1)), events.slice(1));

  for (const view of [live, fold(emptyView, events)])
    expect(view.blocks[1]?.items.map(item => item.kind === 'tool' && item.tool.parent)).toEqual(['Find it', '']);
});
