// A made-up board: the records a server would send, for every state that a card can have.
import type { AgentStatus, AgentType, BoardObject, Budget, Firing, Permission, Person, Session, SessionOption, SessionState, Turn, Worktree, WorktreeState, WorktreeStatus, Way, WayKind, ZonePolicy } from '../src/protocol/generated';
import { PLAIN } from '../src/store/policy';
import { applyBudgets, applySnapshot, initialState } from '../src/store/apply';
import type { BoardState } from '../src/store/types';

export const NOW = Date.now();
const ago = (minutes: number): string => new Date(NOW - minutes * 60_000).toISOString();

const person = (username: string, name: string, initials: string, color: number): Person => ({ username, name, initials, color: `var(--jp-collaborator-color${color})` });
export const people = {
  mira: person('mira', 'Mira Okafor', 'MO', 1),
  jonas: person('jonas', 'Jonas Lind', 'JL', 3),
  aiko: person('aiko', 'Aiko Sato', 'AS', 6),
  rafael: person('rafael', 'Rafael Brito', 'RB', 5),
  eva: person('eva', 'Eva Brandt', 'EV', 2),
};

const option = (id: 'model' | 'mode', name: string, value: string, choices: readonly (readonly [string, string, string?])[]): SessionOption => ({
  id,
  name,
  description: null,
  category: id,
  value,
  choices: choices.map(([choice, label, description]) => ({ id: choice, name: label, description: description ?? null })),
});

export const OPTIONS: SessionOption[] = [
  option('model', 'Model', 'sonnet', [
    ['opus', 'Opus', 'Most able, slower'],
    ['sonnet', 'Sonnet', 'For daily work'],
    ['haiku', 'Haiku', 'Fastest'],
  ]),
  option('mode', 'Mode', 'ask', [
    ['ask', 'Ask before edits'],
    ['accept', 'Accept edits', 'Commands still ask'],
    ['plan', 'Plan only'],
  ]),
  {
    id: 'effort',
    name: 'Thinking',
    description: null,
    category: 'thought_level',
    value: 'medium',
    choices: ['Low', 'Medium', 'High'].map(name => ({ id: name.toLowerCase(), name, description: null })),
  },
];

const installOf = (packageName: string | null, more: Partial<AgentType['install']> = {}): AgentType['install'] => ({
  byHand: null,
  package: packageName,
  node: null,
  diskMb: 120,
  postInstall: null,
  versionArgs: [],
  probeArgs: [],
  ...more,
});

const signIn = (command: string[], keyEnv: string[]): AgentType['signIn'] => ({ command, files: [], keyEnv, authenticate: [] });

const agent = (name: string, label: string, more: Partial<AgentStatus> = {}, type: Partial<AgentType> = {}): AgentStatus => ({
  agent: {
    name,
    label,
    icon: `ag-${name}`,
    command: [name],
    env: {},
    passEnv: [],
    path: [],
    notes: [],
    history: null,
    isBuiltin: name === 'script',
    install: installOf(null),
    signIn: signIn([], []),
    capabilities: { canLoad: false, canResume: false, canFork: name === 'claude', takesImages: true, reportsOutput: true },
    mcp: { transports: [], titles: [], connect: null },
    quirks: { setsBetweenTurns: false },
    failures: { silentRetryS: null },
    ...type,
  } as AgentType, // others add fields to it

  isInstalled: true,
  path: `/usr/bin/${name}`,
  origin: name === 'script' ? 'builtin' : 'catalogue',
  version: null,
  pinned: null,
  isManaged: false,
  isSignedIn: null,
  installState: null,
  installStep: null,
  options: [],
  problem: null,
  startingMode: null,
  ...more,
});

const AGENTS = [
  agent('claude', 'Claude', { version: '2.0.14', isManaged: true, isSignedIn: true, options: OPTIONS }, { signIn: signIn(['claude', '/login'], ['ANTHROPIC_API_KEY']), install: installOf('x@1') }),
  agent('codex', 'Codex', { version: '0.46.0', isSignedIn: false }, { signIn: signIn(['codex', 'login'], ['OPENAI_API_KEY']), install: installOf('x@1') }),
  agent('gemini', 'Gemini', { isInstalled: false, path: null, installState: 'installing', installStep: 'Node 22.12 from PyPI' }, { install: installOf('@google/gemini-cli@0.9.0', { byHand: 'npm install -g @google/gemini-cli' }) }),
  agent(
    'opencode',
    'opencode',
    { isInstalled: false, path: null, pinned: '0.15.0', installState: 'failed', installStep: 'npm could not reach the registry: getaddrinfo ENOTFOUND registry.example.org. Check the network of this server, then try again.' },
    { install: installOf('opencode-ai@0.15.0', { byHand: 'npm install -g opencode-ai' }) },
  ),
  agent('goose', 'Goose', { isInstalled: false, path: null, pinned: '1.9.3' }, { install: installOf('x@1', { diskMb: 140 }), notes: ['It reports no cost.'] }),
  agent('script', 'Script'),
];

const status = (branch: string, ahead: number, behind: number, files: number, added: number, deleted: number): WorktreeStatus =>
  ({ branch, head: '4f2c9ab', ahead, behind, dirty: files > 0, staged: 0, unstaged: files, untracked: 0, conflicted: 0, files, added, deleted, operation: null, inside: null, work: [], asOf: ago(0) }) as WorktreeStatus;

const way = (kind: WayKind, label: string, why: string): Way => ({ kind, label, why, what: '', of: null, isBlocking: true });

export class World {
  readonly worktrees: Worktree[] = [];
  readonly sessions: Session[] = [];
  readonly turns: Turn[] = [];
  readonly permissions: Permission[] = [];
  readonly budgets: Budget[] = [];
  readonly firings: Firing[] = [];
  readonly objects: Record<string, BoardObject> = {};
  #n = 0;

  worktree(name: string, branch: string, by: Person, more: Partial<Worktree> & { figures?: [number, number, number, number, number] } = {}): string {
    const { figures = [0, 0, 0, 0, 0], ...rest } = more;
    const id = `wt_${String(this.#n++).padStart(4, '0')}`;
    this.worktrees.push({
      id,
      repoId: 're_1',
      repo: 'warehouse',
      name,
      branch,
      path: `/data/${branch}`,
      baseRef: 'main',
      baseSha: '4f2c9ab5d2',
      board: 'warehouse.agor',
      zoneId: null,
      issueUrl: null,
      pullRequestUrl: null,
      notes: '',
      context: {},
      state: 'ready' as WorktreeState,
      step: null,
      reason: null,
      ways: [],
      notices: [],
      isFilled: false,
      entry: null,
      isAdopted: false,
      status: status(branch, ...figures),
      createdAt: ago(300),
      createdBy: by,
      updatedAt: ago(0.2),
      archivedAt: null,
      ...rest,
    } as Worktree);
    return id;
  }

  session(worktreeId: string, agentName: string, title: string, state: SessionState, minutes: number, more: Partial<Session> & { cost?: number } = {}): string {
    const { cost = null, ...rest } = more;
    const id = `se_${String(this.#n++).padStart(4, '0')}`;
    this.sessions.push({
      id,
      worktreeId,
      board: 'warehouse.agor',
      agent: agentName,
      title,
      parentId: null,
      originId: null,
      agentSessionId: null,
      state,
      stateSince: ago(minutes),
      waitsFor: null,
      stalledAt: null,
      options: [],
      chosen: {},
      sandbox: null,
      sandboxReason: null,
      sandboxDevices: [],
      fork: null,
      queue: [],
      currentTurnId: null,
      openPermissionId: null,
      background: [],
      lastTurnId: null,
      lastLine: '',
      lastSeq: 0,
      turnCount: 1,
      usage: { inputTokens: null, outputTokens: null, cachedReadTokens: null, cachedWriteTokens: null, contextUsed: null, contextSize: null, costUsd: cost, isEstimate: false },
      archivedAt: null,
      createdAt: ago(200 - this.#n),
      createdBy: people.eva,
      updatedAt: ago(minutes),
      ...rest,
    } as Session);
    return id;
  }

  ask(worktreeId: string, sessionId: string, command: string): void {
    const id = `pe_${this.#n++}`;
    this.permissions.push({
      id,
      sessionId,
      worktreeId,
      turnId: 'tu_1',
      runId: 'ru_1',
      toolCallId: null,
      askedBy: null,
      title: 'Run a command',
      toolKind: 'execute',
      command,
      input: {},
      files: null,
      mcpTool: null,
      paths: [],
      options: [
        { id: 'once', name: 'Allow once', kind: 'allow_once', reach: 'once', keptIn: null },
        { id: 'always', name: 'Always', kind: 'allow_always', reach: 'session', keptIn: null },
        { id: 'no', name: 'Reject', kind: 'reject_once', reach: 'once', keptIn: null },
      ],
      state: 'open',
      optionId: null,
      askedAt: ago(2),
      answeredAt: null,
      answeredBy: null,
      note: null,
      ruleWords: command.split(' '),
      ruleKind: 'execute',
      ruleId: null,
      remembered: null,
      madeRuleId: null,
    });
    const session = this.sessions.find(s => s.id === sessionId);
    if (session) Object.assign(session, { openPermissionId: id });
  }

  turn(worktreeId: string, sessionId: string, state: Turn['state'], error: string | null, more: Partial<Turn> = {}): void {
    const id = `tu_${this.#n++}`;
    this.turns.push({
      id, sessionId, worktreeId, number: 7, prompt: 'Port the sessionizer', origin: 'prompt', follows: null, attachments: [], firingId: null, reportTo: null, reportsOn: null, state, error, errorCode: null, retryAt: null, parks: 0, hasActed: false, model: null, resolution: null, runId: null,
      stopReason: null, retryOf: null, permissionId: null, commitBefore: null, commitAfter: null, treeBefore: null, treeAfter: null, dirtyBefore: null, dirtyAfter: null, files: 3, added: 0, deleted: 0, stateSince: null, seconds: null, waitedSeconds: 0, queuedSeconds: 0, parkedSeconds: 0,
      inputTokens: null, outputTokens: null, cachedReadTokens: null, cachedWriteTokens: null, costUsd: null, costIsEstimate: false, createdAt: ago(5), createdBy: people.eva, startedAt: ago(4), endedAt: null, endedBy: null, ...more,
    });
    const session = this.sessions.find(s => s.id === sessionId);
    if (session) Object.assign(session, state === 'parked' || state === 'running' ? { currentTurnId: id, lastTurnId: id } : { lastTurnId: id });
  }

  budget(scope: Budget['scope'], subject: string, hardUsd: number, spentUsd: number): void {
    this.budgets.push({ id: `bu_${this.#n++}`, scope, subject, softUsd: null, hardUsd, spentUsd, state: spentUsd >= hardUsd ? 'exhausted' : 'ok', createdAt: ago(100), createdBy: people.mira, updatedAt: ago(1) });
  }

  card(worktree: string, x: number, y: number): void {
    const of = this.worktrees.find(w => w.id === worktree);
    this.objects[`ob_${worktree}`] = { kind: 'card', x, y, worktree, repo: 'warehouse', branch: of?.branch ?? 'late-orders', title: of?.name ?? 'Late order repair', base: 'main' };
  }

  zone(id: string, name: string, x: number, y: number, width: number, height: number, color = '', policy: Partial<ZonePolicy> | null = null): void {
    this.objects[id] = { kind: 'zone', x, y, width, height, name, color, policy: policy && { ...PLAIN, ...policy } };
  }

  /** A run of a zone that lies on the board already, for a card that lies in it. */
  firing(zoneId: string, worktreeId: string, state: Firing['state'], more: Partial<Firing> = {}): string {
    const zone = this.objects[zoneId];
    const worktree = this.worktrees.find(one => one.id === worktreeId);
    const id = `fi_${this.#n++}`;
    const arrival = (worktree?.arrival ?? 0) + 1;
    if (worktree) Object.assign(worktree, { zoneId, arrival });
    this.firings.push({
      id, board: 'warehouse.agor', zoneId, zone: zone?.kind === 'zone' ? zone.name : '', worktreeId, arrival, by: people.eva, via: 'canvas', causedBy: null, hops: 0, fromZoneId: null, fromX: null, fromY: null,
      policy: (zone?.kind === 'zone' && zone.policy) || PLAIN, prompt: null, sessionId: null, state, stateSince: ago(2), waitsFor: null, reason: null, runs: [], costUsd: 0, costIsEstimate: false, movedTo: null, retryOf: null,
      decidedBy: null, createdAt: ago(3), startedAt: null, endedAt: null, updatedAt: ago(2), ...more,
    } as Firing); // others add fields to it
    return id;
  }

  note(id: string, text: string, x: number, y: number, width = 272, height = 128): void {
    this.objects[id] = { kind: 'note', x, y, width, height, text, color: '' };
  }

  state(): BoardState {
    const state = applySnapshot(
      { ...initialState, connection: { state: 'live', since: ago(10) } },
      {
        n: 1,
        me: { person: people.eva, role: 'owner', version: '0', bundle: '', rootDir: '/', dataDir: '/', limits: {} },
        agents: AGENTS,
        repos: [],
        worktrees: this.worktrees,
        sessions: this.sessions,
        turns: this.turns,
        permissions: this.permissions,
        firings: this.firings,
      },
    );
    return applyBudgets(state, this.budgets);
  }
}

const ISSUE = 'https://github.com/acme/warehouse/issues/';
const PULL = 'https://github.com/acme/warehouse/pull/';

/** Each of these makes one card. */
export const kinds: Record<string, (w: World) => string> = {
  idle: w => w.worktree('Backfill 2024 refunds', 'backfill-refunds', people.jonas, { issueUrl: `${ISSUE}61` }),
  queued(w) {
    const id = w.worktree('Retry policy for load DAGs', 'airflow-retries', people.jonas, { issueUrl: `${ISSUE}33` });
    w.session(id, 'claude', 'Exponential back-off', 'queued', 1);
    return id;
  },
  running(w) {
    const id = w.worktree('Make stg_orders incremental', 'incremental-stg-orders', people.aiko, { issueUrl: `${ISSUE}12`, pullRequestUrl: `${PULL}48`, figures: [4, 0, 6, 182, 41] });
    const main = w.session(id, 'claude', 'Incremental model', 'running', 3.2, { lastLine: 'Adding a unique_key test so late rows merge', cost: 1.84 });
    w.session(id, 'claude', 'Same, in SQL only', 'done', 9, { originId: main });
    w.session(id, 'codex', 'Regression tests', 'running', 0.8, { parentId: main, lastLine: 'pytest tests/test_orders.py -q' });
    return id;
  },
  needs(w) {
    const id = w.worktree('Fix null order_id in staging', 'fix-null-keys', people.eva, { issueUrl: `${ISSUE}17`, figures: [2, 1, 3, 34, 12] });
    const session = w.session(id, 'claude', 'Why is order_id null?', 'needs_you', 2.1, { cost: 0.42 });
    w.ask(id, session, 'dbt build --full-refresh -s fct_orders');
    return id;
  },
  failed(w) {
    const id = w.worktree('Deduplicate customer_dim', 'dedupe-customers', people.mira, { issueUrl: `${ISSUE}29`, pullRequestUrl: `${PULL}51`, figures: [5, 0, 9, 96, 140] });
    const main = w.session(id, 'codex', 'Window-function dedupe', 'failed', 14, { cost: 2.31 });
    w.session(id, 'gemini', 'QUALIFY instead', 'cancelled', 11, { originId: main });
    w.turn(id, main, 'failed', 'Codex ended with code 137. Two commits and 3 open files are safe.');
    return id;
  },
  interrupted(w) {
    const id = w.worktree('Rewrite Spark sessionizer', 'spark-sessions', people.rafael, { figures: [1, 0, 18, 402, 366] });
    const main = w.session(id, 'opencode', 'Port to DataFrame API', 'interrupted', 31, { cost: 5.03 });
    w.turn(id, main, 'interrupted', 'The server stopped during this turn. Files and transcript are safe.');
    return id;
  },
  parked(w) {
    const id = w.worktree('Late-arriving facts', 'late-facts', people.mira, { issueUrl: `${ISSUE}38`, figures: [2, 0, 3, 48, 9] });
    const main = w.session(id, 'codex', 'Merge by event time', 'parked', 2, { cost: 0.88, sandbox: 'off', sandboxReason: 'bubblewrap is not installed on this machine.' });
    w.turn(id, main, 'parked', 'Error 429: too many requests', { errorCode: 'rate_limited', retryAt: new Date(NOW + 42_000).toISOString(), parks: 2 });
    return id;
  },
  budget(w) {
    const id = w.worktree('Backfill event ids', 'event-ids', people.rafael, { issueUrl: `${ISSUE}44`, figures: [3, 0, 18, 402, 366] });
    const main = w.session(id, 'claude', 'Rewrite in batches', 'parked', 31, { cost: 5.03 });
    w.turn(id, main, 'parked', null, { errorCode: 'budget', parks: 1 });
    w.budget('session', main, 5, 5.03);
    return id;
  },
  quota(w) {
    const id = w.worktree('Column lineage', 'lineage', people.aiko, { figures: [0, 0, 0, 0, 0] });
    const main = w.session(id, 'claude', 'Parse the manifests', 'parked', 55);
    w.turn(id, main, 'parked', 'Your monthly quota is used up.', { errorCode: 'quota', parks: 1 });
    return id;
  },
  stalled(w) {
    const id = w.worktree('Snapshot drift check', 'snapshot-drift', people.jonas, { figures: [1, 0, 2, 20, 4] });
    const main = w.session(id, 'claude', 'Find what drifts', 'running', 14, { stalledAt: ago(12), lastLine: 'dbt snapshot', cost: 0.22, sandbox: 'on' });
    w.turn(id, main, 'running', null);
    return id;
  },
  waits(w) {
    const id = w.worktree('Docs for marts', 'mart-docs', people.eva);
    const main = w.session(id, 'claude', 'Describe each column', 'queued', 1, { waitsFor: '8 of 8 agents work, 3rd in line' });
    w.session(id, 'codex', 'Same with Codex', 'starting', 0.1, { originId: main, waitsFor: '2 of 2 agents start' });
    return id;
  },
  signedOut(w) {
    const id = w.worktree('Freshness alerts', 'freshness-alerts', people.mira);
    const main = w.session(id, 'codex', 'Alert on stale sources', 'failed', 3);
    w.turn(id, main, 'failed', 'Codex has no login on this server.', { errorCode: 'auth_required' });
    return id;
  },
  deep(w) {
    const id = w.worktree('Partition pruning for events', 'prune-events', people.rafael, { pullRequestUrl: `${PULL}53`, figures: [3, 0, 4, 58, 22] });
    const main = w.session(id, 'opencode', 'Rewrite date filters', 'done', 6, { cost: 0.77 });
    const second = w.session(id, 'script', 'dbt test -s events+', 'running', 1.3, { parentId: main, lastLine: '14 of 22 · PASS not_null_event_id' });
    w.session(id, 'claude', 'Look at the slow ones', 'done', 5, { parentId: second });
    for (let i = 0; i < 5; i++) w.session(id, 'claude', `Attempt ${i + 1}`, 'done', 30 + i);
    return id;
  },
  done(w) {
    const id = w.worktree('Contract tests for payments', 'payment-contracts', people.aiko, { issueUrl: `${ISSUE}21`, pullRequestUrl: `${PULL}57`, figures: [6, 0, 12, 311, 8] });
    const main = w.session(id, 'gemini', 'Expectation suite', 'done', 22, { cost: 1.06 });
    w.session(id, 'claude', 'Review the thresholds', 'done', 4, { parentId: main });
    return id;
  },
  starting(w) {
    const id = w.worktree('Nightly source freshness', 'source-freshness', people.mira);
    w.session(id, 'script', 'dbt source freshness', 'starting', 0.05);
    return id;
  },
  stopping(w) {
    const id = w.worktree('Backfill 2023 invoices', 'backfill-invoices', people.eva, { figures: [0, 0, 1, 12, 0] });
    w.session(id, 'claude', 'Monthly chunks', 'stopping', 0.1, { cost: 0.12 });
    return id;
  },
  creating: w => w.worktree('Split fct_orders by region', 'split-by-region', people.rafael, { state: 'creating', step: 'setup: uv sync', status: null, ways: [way('stop_setup', 'Stop setup', 'The setup command “uv sync” runs.')] }),
  setup: w => w.worktree('Costs by team', 'costs-by-team', people.rafael, { state: 'failed', isFilled: true, status: null, reason: 'The setup command “uv sync” failed with code 2. It said: no such index', ways: [way('retry', 'Run setup again', ''), way('use', 'Use as it is', '')] }),
  locked: w => w.worktree('Weekly cohorts', 'weekly-cohorts', people.aiko, { ways: [way('remove_lock', 'Remove the lock', 'A git process that is gone left index.lock behind 4 minutes ago. Until it is removed, git refuses to commit here.')] }),
  moved: w => w.worktree('Region backfill', 'region-backfill', people.jonas, { state: 'missing', reason: 'Its folder was moved: /data/region-backfill is gone, and its files are in /data/regions.', ways: [way('relocate', 'Follow it there', '')] }),
  missing: () => 'wt_elsewhere',
  gone: w => w.worktree('Late order repair', 'late-orders-2', people.jonas, { state: 'missing', reason: 'The folder was removed outside. Branch late-orders-2 is kept.', ways: [way('retry', 'Make it again', '')] }),
  archived: w => w.worktree('Drop legacy events table', 'drop-events', people.mira, { state: 'archived', archivedAt: ago(3 * 1440), figures: [0, 0, 7, 12, 480] }),
  broken: w => w.worktree('Vacuum schedule', 'vacuum-nightly', people.aiko, { state: 'failed', status: null, reason: 'Branch “vacuum-nightly” is checked out in ~/code/warehouse. Nothing was started.', ways: [way('retry', 'Try again', '')] }),
  currency(w) {
    const id = w.worktree('Round currency to 4 places', 'currency-rounding', people.eva, { pullRequestUrl: `${PULL}45`, figures: [1, 0, 5, 27, 27] });
    w.session(id, 'codex', 'Decimal(18,4) everywhere', 'done', 1440, { cost: 0.31 });
    return id;
  },
};

export const cards = (w: World): void => {
  let i = 0;
  for (const make of Object.values(kinds)) {
    w.card(make(w), 40 + (i % 5) * 300, 40 + Math.floor(i / 5) * 270);
    i++;
  }
};

/** The states that only real agents have. */
export const agents = (w: World): void => {
  ['parked', 'budget', 'quota', 'stalled', 'waits', 'signedOut', 'needs', 'failed', 'running', 'done'].forEach((name, i) => {
    const make = kinds[name];
    if (make) w.card(make(w), 40 + (i % 5) * 300, 40 + Math.floor(i / 5) * 300);
  });
};

export const board = (w: World): void => {
  const columns = [
    ['Backlog', ['idle', 'starting'], ''],
    ['Build', ['running', 'needs', 'queued'], 'blue'],
    ['Test', ['failed', 'deep'], 'green'],
    ['Review', ['done', 'currency'], ''],
  ] as const;
  const heights: Record<string, number> = { idle: 166, starting: 160, running: 232, needs: 246, queued: 140, failed: 252, deep: 290, done: 190, currency: 150 };
  columns.forEach(([name, names, color], column) => {
    const x = 24 + column * 324;
    w.zone(`ob_zone_${column}`, name, x, 24, 296, column === 0 ? 400 : column === 3 ? 420 : 720, color);
    let y = 24 + 54;
    for (const one of names) {
      const make = kinds[one];
      if (make) w.card(make(w), x + 12, y);
      y += (heights[one] ?? 200) + 12;
    }
  });
  w.zone('ob_zone_9', 'Deploy', 24 + 3 * 324, 470, 296, 160, 'purple');
  w.note('ob_note_0', '# Sprint 31: trustworthy orders\n- [x] Land currency rounding\n- [ ] Incremental `stg_orders` before month end\n- [ ] No null keys past staging. See https://example.org/runbook', 36, 450);
};

/** Zones that act: each state that a head and a card can have. */
export const zones = (w: World): void => {
  const zone = (id: string, name: string, x: number, policy: Partial<ZonePolicy> | null, y = 24, height = 420, width = 296): void => w.zone(id, name, x, y, width, height, '', policy);
  zone('ob_backlog', 'Backlog', 24, null);
  zone('ob_build', 'Build', 348, { agent: 'claude', prompt: 'Read {{ worktree.issue_url }}. Implement it.', limit: 2, gates: [{ kind: 'command', run: 'dbt build', when: 'after' }], next: 'ob_test', onFailure: 'ob_backlog' }, 24, 780);
  zone('ob_test', 'Test', 672, { agent: 'script', prompt: '```sh\npytest -q\n```', gates: [{ kind: 'command', run: 'pytest -q', when: 'after' }], limit: 4, next: 'ob_review' }, 24, 640);
  zone('ob_review', 'Review', 996, { target: 'ask', prompt: 'Review {{ worktree.branch }}', limit: 5, budgetUsd: 5, needsApproval: true, next: 'ob_deploy' }, 24, 640);
  zone('ob_deploy', 'Deploy', 1320, { agent: 'script', prompt: 'Ship it\n```sh\ndbt build --target prod\n```', limit: 1, gates: [{ kind: 'command', run: 'dbt build', when: 'before' }] });
  zone('ob_nightly', 'Nightly', 1320, { agent: 'script', prompt: 'x', isPaused: true, limit: 1 }, 464, 200);
  zone('ob_off', 'Later', 24, { agent: 'claude', prompt: 'x', isOn: false }, 464, 200);
  const place = (kind: string, x: number, y: number): string => {
    const id = kinds[kind]?.(w) ?? '';
    w.card(id, x, y);
    return id;
  };
  const waits = place('idle', 360, 560);
  w.firing('ob_build', place('running', 360, 78), 'running');
  w.firing('ob_build', place('needs', 360, 320), 'running');
  w.firing('ob_build', waits, 'waiting', { waitsFor: 'a place: 2 of 2 in work' });
  w.firing('ob_test', place('done', 684, 78), 'failed', { reason: '2 failed, 118 passed in 41 s', runs: [{ gate: 0, sessionId: w.sessions.at(-1)?.id ?? null, turnId: null, outcome: 'failed', reason: '' }] });
  w.firing('ob_test', place('currency', 684, 380), 'verifying', { runs: [{ gate: 0, sessionId: null, turnId: null, outcome: null, reason: '' }] });
  w.firing('ob_review', place('signedOut', 1008, 78), 'asking', { prompt: 'Review freshness-alerts against main.' });
  w.firing('ob_review', place('deep', 1008, 340), 'approval');
};

export const many = (w: World, count: number): void => {
  const names = Object.keys(kinds).filter(name => name !== 'missing');
  const columns = Math.ceil(Math.sqrt(count * 0.9));
  for (let i = 0; i < count; i++) {
    const pick = i % 17 === 0 ? 'running' : i % 31 === 0 ? 'failed' : i % 97 === 0 ? 'needs' : (['done', 'idle', 'queued', 'currency', 'stopping'][i % 5] ?? names[0] ?? 'idle');
    const make = kinds[pick];
    if (make) w.card(make(w), (i % columns) * 300, Math.floor(i / columns) * 300);
  }
};
