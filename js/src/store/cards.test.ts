import { describe, expect, it } from 'vitest';
import { kinds, World } from '../../dev/made-up';
import type { Card, Event, Permission, ProjectFile, Session, Way, Work } from '../protocol/generated';
import { applyAll } from './apply';
import { contentOf } from './cards';
import { strongest } from './standing';
import type { BoardState } from './types';

const seen = (kind: string, change: (state: BoardState) => BoardState = state => state) => {
  const world = new World();
  const worktree = kinds[kind]?.(world) ?? '';
  const card: Card = { kind: 'card', x: 0, y: 0, worktree, repo: 'warehouse', branch: 'late-orders', title: 'Late order repair', base: 'main' };
  return contentOf(card, { state: change(world.state()), now: Date.now(), readers: new Map(), isUnfolded: false, zoneName: () => '' }, () => 'blue');
};

describe('what a card says', () => {
  it('shows the strongest of its sessions', () => {
    const of = (...states: Session['state'][]) => strongest(states.map(state => ({ state }) as Session));

    expect(of('done', 'running', 'needs_you')).toBe('needs_you');
    expect(of('running', 'interrupted')).toBe('interrupted');
    expect(of('queued', 'starting', 'running')).toBe('running');
    expect(of('idle', 'done')).toBe('done');
    expect(of()).toBe('idle');
  });

  it('asks with the real command and one answer', () => {
    const card = seen('needs');

    expect(card.state).toEqual({ mark: 'needs', label: 'Needs you' });
    expect(card.strip).toMatchObject({ kind: 'ask', title: 'Asks to run a command', command: 'dbt build --full-refresh -s fct_orders' });
    expect(card.strip?.actions.map(action => action.text)).toEqual(['Allow once', 'Review']);
  });

  it('does not say that nothing changed where a person would find work', () => {
    const inside = { kind: 'repository', text: '1 repository inside (frontend): 1 commit on no remote (2 kB)', names: [] } as unknown as Work;
    const rebase = { kind: 'operation', text: 'rebase of fix under way', names: ['rebase'] } as unknown as Work;
    const card = seen('done', state => ({
      ...state,
      worktrees: new Map(
        [...state.worktrees].map(([id, one]) => [
          id,
          { ...one, status: one.status && { ...one.status, files: 0, dirty: true, work: [inside, rebase] } },
        ]),
      ),
    }));

    expect(card.foot).toMatchObject({ changes: null, text: '', work: '1 repository inside, rebase under way', works: [inside.text, rebase.text] });
  });

  it('says that nothing changed where an agent only keeps files of its own', () => {
    const own = {
      kind: 'own',
      text: "2 files of Claude Code's own: .claude/settings.local.json, .claude/x (1.2 kB)",
      files: 2,
      names: [],
    } as unknown as Work;
    const ignored = { kind: 'ignored', text: '1 ignored file that is no cache: data.csv (2 MB)', files: 1, names: [] } as unknown as Work;
    const with_ = (...work: Work[]) =>
      seen('done', state => ({
        ...state,
        worktrees: new Map(
          [...state.worktrees].map(([id, one]) => [id, { ...one, status: one.status && { ...one.status, files: 0, dirty: false, work } }]),
        ),
      })).foot;

    expect(with_(own)).toMatchObject({ changes: null, text: 'No changes', work: '', works: [] });
    expect(with_(ignored, own)).toMatchObject({ text: '', work: '1 ignored file', works: [ignored.text] });
  });

  it('lets only an owner answer', () => {
    const card = seen('needs', state => ({ ...state, me: state.me && { ...state.me, role: 'steerer' } }));

    expect(card.strip?.actions.map(action => action.text)).toEqual(['Review']);
  });

  it('lets nobody trust files that cannot be read there', () => {
    const ask = (permission: Permission): Permission => ({
      ...permission,
      toolKind: 'trust',
      files: ['CLAUDE.md', '.mcp.json'].map(path => ({ path }) as ProjectFile),
      options: [
        { id: 'trust', name: 'Trust these files', kind: 'allow_always', reach: 'session', keptIn: null },
        { id: 'without', name: 'Continue without them', kind: 'reject_always', reach: 'session', keptIn: null },
      ],
    });
    const card = seen('needs', state => ({ ...state, permissions: new Map([...state.permissions].map(([id, one]) => [id, ask(one)])) }));

    expect(card.strip).toMatchObject({ title: 'Wants to load untrusted files', command: 'CLAUDE.md, .mcp.json' });
    expect(card.strip?.actions).toMatchObject([{ act: 'session', text: 'Review', kind: 'need' }]);
  });

  it('says calmly what keeps nobody from working, below what does', () => {
    const made = { of: 'abc', why: 'Branch “fix” was moved.', what: '' };
    const left = (['branch_commits', 'keep_commits', 'let_go'] as const).map(kind => ({ ...made, kind, label: kind, isBlocking: false }));
    const unlock = { ...made, kind: 'unlock' as const, label: 'Unlock', why: 'Another tool locked this worktree.', isBlocking: false };
    const lock = { ...made, kind: 'remove_lock' as const, label: 'Remove the lock', why: 'A lock is there.', isBlocking: true };
    const having = (ways: Way[]) =>
      seen('done', state => ({ ...state, worktrees: new Map([...state.worktrees].map(([id, one]) => [id, { ...one, ways }])) })).strip;

    expect(having([...left, unlock])).toMatchObject({ kind: 'rest', title: 'Commits were left behind', text: made.why });
    expect(having([...left, unlock])?.actions.map(action => action.option)).toEqual(['branch_commits', 'keep_commits', 'let_go']);
    expect(having([unlock])).toMatchObject({ kind: 'rest', title: 'Locked by another tool' });
    expect(having([...left, lock])).toMatchObject({ kind: 'fail', text: lock.why, actions: [{ option: 'remove_lock' }] });
  });

  it('draws the tree: spawned, forked, and five rows at most', () => {
    const [main] = seen('running').rows;
    expect(main?.children.map(row => row.link)).toEqual(['fork', 'spawn']);

    const deep = seen('deep');
    expect(deep.folded).toBe(3);
  });

  it('survives sessions that are their own parents', () => {
    const card = seen('running', state => ({
      ...state,
      sessions: new Map([...state.sessions].map(([id, session], i, all) => [id, { ...session, parentId: all[(i + 1) % all.length]?.[0] ?? null }])),
    }));

    const count = (rows: readonly { children: readonly unknown[] }[]): number => rows.reduce((n, row) => n + 1 + count(row.children as never), 0);
    expect(count(card.rows)).toBe(3);
  });

  it('offers resume, retry and discard after an interruption', () => {
    expect(seen('interrupted').strip?.actions.map(action => action.text)).toEqual(['Resume', 'Retry', 'Discard', 'Open']);
  });

  it('offers each way on of a worktree that is stuck, and none to a viewer', () => {
    const offers = (name: string, role: 'owner' | 'viewer' = 'owner') =>
      seen(name, state => ({ ...state, me: state.me && { ...state.me, role } })).strip?.actions.filter(({ act }) => act === 'mend');

    expect(offers('creating')).toMatchObject([{ option: 'stop_setup', text: 'Stop setup' }]);
    expect(offers('setup')?.map(({ option }) => option)).toEqual(['retry', 'use']);
    expect(offers('locked')).toMatchObject([{ option: 'remove_lock' }]);
    expect(offers('moved')).toMatchObject([{ option: 'relocate' }]);
    expect(offers('moved', 'viewer')).toEqual([]);
  });

  it('says what is not here, gone, archived, or could not be made', () => {
    expect(seen('missing').state.label).toBe('Not on this machine');
    expect(seen('missing').strip?.actions[0]).toMatchObject({ act: 'make', text: 'Create it here' });
    expect(seen('gone').look).toBe('missing');
    expect(seen('moved').state.label).toBe('Folder was moved');
    expect(seen('archived').strip?.when).toBe('Archived 3 d ago');
    expect(seen('broken').strip?.text).toContain('checked out in ~/code/warehouse');
  });

  it('says what a restore could not bring back as it was, or why it could not be done', () => {
    const reason = "Branch 'fix' was moved meanwhile.";
    const told = (kind: string) =>
      seen(kind, state => ({ ...state, worktrees: new Map([...state.worktrees].map(([id, one]) => [id, { ...one, reason }])) }));

    expect(told('idle').strip?.text).toBe(reason);
    expect(told('archived').strip?.text).toBe(reason);
    expect(told('needs').strip?.kind).toBe('ask');
  });

  it('is of an hour when the connection is lost', () => {
    const card = seen('running', state => ({ ...state, connection: { state: 'lost', since: new Date(Date.now() - 60_000).toISOString() } }));

    expect(card.state.mark).toBe('stale');
    expect(card.asOf).toMatch(/^As of \d\d:\d\d$/);
  });

  it('links only to the web', () => {
    const card = seen('idle', state => ({
      ...state,
      worktrees: new Map([...state.worktrees].map(([id, w]) => [id, { ...w, issueUrl: 'javascript:alert(1)' }])),
    }));

    expect(card.pills).toEqual([]);
  });
});

describe('events', () => {
  const session = (world: World, more: Partial<Session>): Session => ({ ...(world.sessions[0] as Session), ...more });

  it('are applied once, in order, and copy only what changes', () => {
    const world = new World();
    kinds['running']?.(world);
    const before = world.state();
    const event = (n: number, body: Event['body']): Event => ({ n, at: '', sessionId: null, turnId: null, seq: null, body });

    const after = applyAll(before, [
      event(1, { kind: 'session', session: session(world, { title: 'Old news' }) }),
      event(2, { kind: 'session', session: session(world, { title: 'New' }) }),
      event(3, { kind: 'session', session: session(world, { id: 'se_new', title: 'Another' }) }),
    ]);

    expect(after.n).toBe(3);
    expect(after.sessions.get(world.sessions[0]?.id ?? '')?.title).toBe('New');
    expect(after.sessionsOf.get(world.worktrees[0]?.id ?? '')).toContain('se_new');
    expect(after.worktrees).toBe(before.worktrees);
    expect(before.sessions.has('se_new')).toBe(false);
  });

  it('drop a question when it is answered', () => {
    const world = new World();
    kinds['needs']?.(world);
    const state = world.state();
    const [permission] = state.permissions.values();
    if (!permission) throw new Error('no question');

    const after = applyAll(state, [
      { n: 9, at: '', sessionId: null, turnId: null, seq: null, body: { kind: 'permission', permission: { ...permission, state: 'allowed' } } },
    ]);

    expect(after.permissions.size).toBe(0);
  });
});
