import { describe, expect, it } from 'vitest';
import { kinds, NOW, World } from '../../dev/made-up';
import type { Budget, Card, Event, Turn } from '../protocol/generated';
import { left } from '../texts/ages';
import { applyAll, applyBudgets } from './apply';
import { contentOf } from './cards';
import { parked, usedUp } from './parked';
import { strongest } from './standing';
import type { BoardState } from './types';

const made = (kind: string): { world: World; worktree: string; state: BoardState } => {
  const world = new World();
  const worktree = kinds[kind]?.(world) ?? '';
  return { world, worktree, state: world.state() };
};
const cardOf = (kind: string, change: (state: BoardState) => BoardState = state => state, now = NOW) => {
  const { worktree, state } = made(kind);
  const card: Card = { kind: 'card', x: 0, y: 0, worktree, repo: 'warehouse', branch: '', title: '', base: 'main' };
  return contentOf(card, { state: change(state), now, readers: new Map(), isUnfolded: false, zoneName: () => '' }, () => 'blue');
};
const viewer = (state: BoardState): BoardState => ({ ...state, me: state.me && { ...state.me, role: 'viewer' } });
const steerer = (state: BoardState): BoardState => ({ ...state, me: state.me && { ...state.me, role: 'steerer' } });

describe('a parked turn', () => {
  it('says what happened, what is safe and what comes next, and is no failure', () => {
    const card = cardOf('parked');

    expect(card.state).toEqual({ mark: 'queued', label: 'Parked' });
    expect(card.strip).toMatchObject({
      kind: 'rest',
      title: 'Rate limited by the model',
      text: 'Your changes are kept: 3 files. Retrying in 0:42',
    });
    expect(card.strip?.actions.map(({ act }) => act)).toEqual(['retry', 'cancel', 'fork']);
    expect(card.isTicking).toBe(true);
  });

  it('counts down, and then says that it tries again', () => {
    expect(cardOf('parked', undefined, NOW + 30_000).strip?.text).toContain('in 0:12');
    expect(cardOf('parked', undefined, NOW + 43_000).strip?.text).toContain('Retrying now');
  });

  it('counts no seconds where only a person can go on', () => {
    const card = cardOf('quota');

    expect(card.isTicking).toBe(false);
    expect(card.strip?.text).toBe('Nothing is lost. Continues when you say so');
    expect(card.strip?.actions[0]?.text).toBe('Retry');
  });

  it('waits for a slot when its time has come', () => {
    const card = cardOf('quota', state => ({
      ...state,
      sessions: new Map([...state.sessions].map(([id, session]) => [id, { ...session, waitsFor: '8 of 8 agents work, next in line' }])),
    }));

    expect(card.strip?.text).toBe('Nothing is lost. Waiting for a free slot: 8 of 8 agents work, next in line');
  });

  it('offers nothing to a viewer', () => {
    expect(cardOf('parked', viewer).strip?.actions.map(({ act }) => act)).toEqual(['session']);
  });

  it('names the budget that is in the way, and lets only an owner raise it', () => {
    expect(cardOf('budget').strip).toMatchObject({ kind: 'ask', title: 'Budget of $5.00 is used up' });
    expect(cardOf('budget').strip?.actions.map(({ act }) => act)).toEqual(['budget', 'cancel']);
    expect(cardOf('budget', steerer).strip?.actions.map(({ act }) => act)).toEqual(['cancel']);
  });

  it('is weaker than starting and stronger than queued', () => {
    const { world } = made('parked');
    const of = (...states: string[]) => strongest(states.map(state => ({ ...world.sessions[0], state })) as never);

    expect(of('queued', 'parked')).toBe('parked');
    expect(of('parked', 'starting')).toBe('starting');
  });

  it('says the plain thing for a reason that is not known yet', () => {
    const { state, world } = made('parked');
    const turn = { ...(world.turns[0] as Turn), errorCode: 'constructor' };

    expect(parked(turn, state, NOW).title).toBe('The turn is waiting');
  });
});

describe('budgets', () => {
  const budget = (scope: Budget['scope'], subject: string, state: Budget['state']): Budget =>
    ({ id: `bu_${scope}`, scope, subject, state, hardUsd: 5, softUsd: null, spentUsd: 5 }) as Budget;
  const turn = { sessionId: 'se_1', worktreeId: 'wt_1', createdBy: { username: 'mira', name: '', initials: '', color: null } };

  it('finds the narrowest one that is used up', () => {
    const { state } = made('idle');
    const all = applyBudgets(state, [
      budget('user', 'mira', 'exhausted'),
      budget('worktree', 'wt_1', 'exhausted'),
      budget('session', 'se_1', 'warned'),
    ]);

    expect(usedUp(turn, all)?.scope).toBe('worktree');
    expect(usedUp({ ...turn, worktreeId: 'wt_2' }, all)?.scope).toBe('user');
  });

  it('come and go with the news, and stay over a new snapshot', () => {
    const { state, world } = made('idle');
    const event = (n: number, body: Event['body']): Event => ({ n, at: '', sessionId: null, turnId: null, seq: null, body });
    const one = budget('session', 'se_1', 'ok');

    const with1 = applyAll(state, [event(2, { kind: 'budget', budget: one })]);
    expect(with1.budgets.get(one.id)).toEqual(one);
    expect(applyAll(with1, [event(3, { kind: 'removed', noun: 'budget', id: one.id })]).budgets.size).toBe(0);
    expect(world.state().budgets.size).toBe(0);
  });

  it('stop a card that has none to run', () => {
    const card = cardOf('done', state => applyBudgets(state, [budget('worktree', [...state.worktrees.keys()][0] ?? '', 'exhausted')]));

    expect(card.strip).toMatchObject({
      kind: 'ask',
      title: 'Budget of $5.00 is used up',
      text: 'No turn starts until it is raised. All work is kept.',
    });
  });
});

describe('a second turn that fails', () => {
  it('is said on the card at once, though the session tells of it later', () => {
    const { state, world } = made('stalled');
    const [session] = world.sessions;
    const [turn] = world.turns;
    if (!session || !turn) throw new Error('the kind has both');
    const before = { ...state, sessions: new Map([[session.id, { ...session, lastTurnId: 'tu_first', currentTurnId: turn.id }]]) };
    const failed: Turn = { ...turn, state: 'failed', error: 'It ended.' };

    const after = applyAll(before, [{ n: 2, at: '', sessionId: session.id, turnId: turn.id, seq: 1, body: { kind: 'turn_ended', turn: failed } }]);

    expect(after.turns.get(turn.id)).toEqual(failed);
  });
});

describe('waits and silences', () => {
  it('says since when nothing was heard instead of the last line', () => {
    expect(cardOf('stalled').rows[0]).toMatchObject({ line: 'Nothing heard for 12 min', isRunning: false });
  });

  it('names what a session waits for', () => {
    const [first] = cardOf('waits').rows;

    expect(first).toMatchObject({ line: '8 of 8 agents work, 3rd in line', when: '1:00' });
    expect(first?.children[0]).toMatchObject({ link: 'fork', line: '2 of 2 agents start' });
  });

  it('offers to sign in where that was the reason', () => {
    const card = cardOf('signedOut');

    expect(card.strip).toMatchObject({ kind: 'fail', title: 'Codex is not signed in' });
    expect(card.strip?.actions[0]).toMatchObject({ act: 'sign-in', id: 'codex' });
  });

  it('shows a missing sandbox with its reason, and nothing where there is one', () => {
    expect(cardOf('parked').pills.at(-1)).toMatchObject({ icon: 'unlock', text: 'No sandbox', name: 'bubblewrap is not installed on this machine.' });
    expect(cardOf('stalled').pills).toEqual([]);
  });

  it.each([
    [42_000, '0:42'],
    [41_200, '0:42'],
    [0, '0:00'],
    [-5000, '0:00'],
    [3_700_000, '1:01:40'],
  ])('%i ms are left as %s', (ms, text) => {
    expect(left(new Date(NOW + ms).toISOString(), NOW)).toBe(text);
  });
});
