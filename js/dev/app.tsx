// The whole app on made-up state: a client that answers from memory. `open` names a kind of card whose session the panel shows.
import { App } from '../src/panels/App';
import type { BoardClient, ClientState } from '../src/session/client';
import type { FeedState, TranscriptFeed } from '../src/session/transcript/feed';
import * as later from '../src/later';
import type { Conversation, Rule, Session } from '../src/protocol/generated';
import type { BoardDoc, Dialog } from '../src/store/types';
import { NOW, OPTIONS, people, type World } from './made-up';

const ago = (minutes: number): string => new Date(NOW - minutes * 60_000).toISOString();

const RULES: Rule[] = [
  { id: 'ru_1', scope: 'session', subject: '', agent: null, toolKind: null, commandPrefix: ['dbt', 'build'], expiresAt: null, createdAt: ago(40), createdBy: people.mira, revokedAt: null, revokedBy: null, uses: 4 },
  { id: 'ru_2', scope: 'repository', subject: '', agent: 'claude', toolKind: 'edit', commandPrefix: null, expiresAt: new Date(NOW + 8 * 3_600_000).toISOString(), createdAt: ago(0.2), createdBy: people.eva, revokedAt: null, revokedBy: null, uses: 0 },
];
const CONVERSATIONS: Conversation[] = [
  { agent: 'claude', agentSessionId: 'a', title: 'Why do the freshness checks fail on Mondays?', folder: '/data', turns: 6, startedAt: ago(3000), updatedAt: ago(2900), sessionId: null },
  { agent: 'codex', agentSessionId: 'b', title: 'Split the nightly load', folder: '/data', turns: 1, startedAt: ago(90), updatedAt: ago(80), sessionId: null },
];
const ANSWERS: Readonly<Record<string, unknown>> = {
  preferences: [],
  variables: [
    { username: 'eva', name: 'ANTHROPIC_API_KEY', updatedAt: ago(9000) },
    { username: 'eva', name: 'WAREHOUSE_URL', updatedAt: ago(3) },
  ],
  rules: RULES,
};

function feedOf(world: World, session: Session): TranscriptFeed {
  const turn = world.turns.find(one => one.id === session.lastTurnId);
  const state: FeedState = {
    blocks: [
      {
        turnId: turn?.id ?? 'tu_x',
        startedAt: ago(4),
        ended: null,
        items: [
          { kind: 'prompt', key: '1', text: 'Why is `order_id` null in staging? Fix it and prove it.', by: people.eva },
          { kind: 'notice', key: '2', code: 'resumed', text: 'Claude took up its conversation again.' },
          { kind: 'text', key: '3', text: 'The shop export writes `\'\'` for guest orders. The cast turns that into `NULL`, so **1,284 rows** lose their key.', messageId: 'm' },
          {
            kind: 'permission',
            key: '4',
            permission: {
              id: 'pe_r', sessionId: session.id, worktreeId: session.worktreeId, turnId: '', runId: '', toolCallId: null, title: '', toolKind: 'execute', command: 'dbt build -s stg_orders', input: {}, options: [],
              state: 'allowed', optionId: null, askedAt: ago(3), answeredAt: ago(3), answeredBy: people.mira, note: null, ruleWords: null, ruleKind: null, ruleId: 'ru_1',
            },
          },
        ],
      },
    ],
    plan: null,
    turns: new Map(turn ? [[turn.id, turn]] : []),
    isLoading: false,
    hasEarlier: false,
    problem: null,
  };
  return { sessionId: session.id, subscribe: () => () => undefined, getState: () => state, loadEarlier: () => Promise.resolve() } as unknown as TranscriptFeed;
}

export function AppPage({ board, world, query }: { board: BoardDoc; world: World; query: URLSearchParams }): JSX.Element {
  const role = query.get('role') ?? 'owner';
  const whole = world.state();
  const me = whole.me && { ...whole.me, role: role as 'owner' };
  for (const session of world.sessions) {
    if (session.agent === 'claude') Object.assign(session, { options: OPTIONS, chosen: { mode: 'ask' } });
    Object.assign(session.usage, { contextUsed: 76_000, contextSize: 200_000, costUsd: session.usage.costUsd ?? 0.42 });
    if (session.originId) Object.assign(session, { fork: 'primed' });
    if (session.sandbox === null) Object.assign(session, { sandbox: 'on' });
  }
  const state: ClientState = { shared: { ...world.state(), me }, board, readOnlyReason: null, opening: { kind: 'open' }, caughtUp: null };
  const log = window.agor.log;
  const answer = (method: string) => (path: string, body?: unknown) => {
    log.push([method, path, body]);
    const preview = { zoneId: '', starts: true, text: 'Starts Claude in a new session, then runs dbt build, then moves to Test.', waits: '2 of 2 in work', prompt: 'Read github.com/acme/warehouse/issues/61. Implement it on backfill-refunds. Build into schema dev_backfill_refunds', problem: null, problemLine: null };
    const known = ANSWERS[path] ?? (path.endsWith('/history') ? CONVERSATIONS : path.endsWith('/preview') ? preview : path === 'firings' ? world.firings : undefined);
    return Promise.resolve(known ?? []);
  };
  const feeds = new Map<string, TranscriptFeed>();
  const client = {
    path: 'warehouse.agor',
    http: { get: answer('GET'), post: answer('POST'), put: answer('PUT'), patch: answer('PATCH'), delete: answer('DELETE') },
    subscribe: () => () => undefined,
    getState: () => state,
    open: () => Promise.resolve(),
    close: () => undefined,
    reconnect: () => undefined,
    watch: () => undefined,
    forgetCaughtUp: () => undefined,
    whenReady: () => Promise.resolve(),
    holdFeed: (id: string) => {
      const session = world.sessions.find(one => one.id === id);
      if (session && !feeds.has(id)) feeds.set(id, feedOf(world, session));
      return { feed: feeds.get(id), release: () => undefined };
    },
  } as unknown as BoardClient;
  const title = query.get('open');
  const session = title ? world.sessions.find(one => one.title.startsWith(title)) : undefined;
  const name = query.get('dialog');
  const dialog = name ? ({ name, sessionId: session?.id, worktreeId: session?.worktreeId, zoneId: query.get('zone') ?? undefined, firingId: world.firings.find(one => one.state === query.get('firing'))?.id } as Dialog) : null;
  return (
    <App
      client={client}
      host={query.get('host') === 'cell' ? 'cell' : 'tab'}
      openInTab={() => undefined}
      openTerminal={query.get('terminal') ? command => log.push(['terminal', command]) : null}
      loadLater={loadLater}
      start={{ openSessionId: session?.id ?? null, openDiffId: query.get('diff') ? (session?.worktreeId ?? null) : null, dialog }}
    />
  );
}

const loadLater = (): Promise<typeof later> => Promise.resolve(later);
