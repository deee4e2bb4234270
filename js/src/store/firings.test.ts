// Which run of a zone a card shows, what a zone has at work, and that both say the same.
import { describe, expect, it } from 'vitest';

import { kinds, people, World } from '../../dev/made-up';
import type { Firing } from '../protocol/generated';
import { apply } from './apply';
import { contentOf } from './cards';
import { firingOf, firingWords, workIn } from './firings';
import { asCard } from './objects';
import { countsOf, stateOf } from './standing';
import type { BoardState } from './types';

const world = (): World => {
  const made = new World();
  made.zone('ob_test', 'Test', 0, 0, 300, 500, '', {
    prompt: 'x',
    gates: [{ kind: 'command', run: 'pytest -q', when: 'after' }],
    next: 'ob_deploy',
    limit: 2,
  });
  made.zone('ob_deploy', 'Deploy', 400, 0, 300, 500, '', { prompt: 'x' });
  return made;
};
const zoneName = (id: string): string => ({ ob_test: 'Test', ob_deploy: 'Deploy' })[id] ?? '';
const cardOf = (made: World, worktree: string, state: BoardState) => {
  made.card(worktree, 10, 60);
  const card = asCard(made.objects[`ob_${worktree}`]);
  if (!card) throw new Error('it has no card');
  return contentOf(card, { state, now: Date.now(), readers: new Map(), isUnfolded: false, zoneName }, () => '');
};
const heard = (state: BoardState, firing: Firing, n: number): BoardState =>
  apply(state, {
    n,
    at: firing.updatedAt,
    seq: null,
    sessionId: null,
    turnId: null,
    worktreeId: null,
    runId: null,
    body: { kind: 'firing', firing },
  } as never);
const FAILED_GATE = [{ gate: 0, sessionId: null, turnId: null, outcome: 'failed' as const, reason: '' }];

describe('a card', () => {
  it.each([
    ['waiting', 'queued', 'Waits for a place: 2 of 2 in work', 'plain'],
    ['asking', 'needs_you', 'Start it?', 'need'],
    ['checking', 'running', 'pytest -q', 'plain'],
    ['verifying', 'running', 'pytest -q', 'plain'],
    ['approval', 'needs_you', 'Move on to Deploy?', 'need'],
    ['failed', 'failed', 'Gate failed: pytest -q', 'fail'],
  ] as const)('of a run that is %s is %s', (state, expected, fact, tone) => {
    const made = world();
    const worktree = kinds['idle']?.(made) ?? '';
    const runs = state === 'failed' ? FAILED_GATE : [{ gate: 0, sessionId: null, turnId: null, outcome: null, reason: '' }];
    made.firing('ob_test', worktree, state, { waitsFor: state === 'waiting' ? 'a place: 2 of 2 in work' : null, reason: 'exit 1', runs });
    const shared = made.state();
    const of = shared.worktrees.get(worktree);

    expect(of && stateOf(of, shared)).toBe(expected);
    expect(cardOf(made, worktree, shared)).toMatchObject({ fact, factTone: tone });
  });

  it('offers what a person can decide, and nothing to a viewer', () => {
    const made = world();
    const worktree = kinds['done']?.(made) ?? '';
    const firing = made.firing('ob_test', worktree, 'approval');
    const shared = made.state();
    const viewer = { ...shared, me: shared.me && { ...shared.me, role: 'viewer' as const } };

    const acts = cardOf(made, worktree, shared).strip?.actions.map(({ act, id, option, text }) => [act, id, option, text]);

    expect(acts).toEqual([
      ['decide', firing, 'approve', 'Move on to Deploy'],
      ['decide', firing, 'reject', 'Reject'],
    ]);
    expect(cardOf(made, worktree, viewer).strip?.actions).toEqual([]);
  });

  it('lets an agent’s question come first', () => {
    const made = world();
    const worktree = kinds['needs']?.(made) ?? '';
    made.firing('ob_test', worktree, 'failed', { runs: FAILED_GATE });

    expect(cardOf(made, worktree, made.state()).strip?.title).toBe('Asks to run a command');
  });

  it('is not failed any more by a run that it has left', () => {
    const made = world();
    const worktree = made.worktree('Fix it', 'fix-it', people.eva);
    const session = made.session(worktree, 'script', 'Test: pytest -q', 'failed', 3);
    const first = made.firing('ob_test', worktree, 'failed', { runs: FAILED_GATE });
    made.turn(worktree, session, 'failed', 'exit 1', { firingId: first });
    const state = (shared = made.state()) => stateOf(shared.worktrees.get(worktree) as never, shared);
    const before = state();

    made.firing('ob_deploy', worktree, 'waiting');

    expect(before).toBe('failed');
    expect(state()).toBe('queued');
  });

  it('says nothing of a run that passed, or of a zone that it left', () => {
    const made = world();
    const worktree = kinds['done']?.(made) ?? '';
    made.firing('ob_test', worktree, 'failed');
    const of = made.worktrees.find(({ id }) => id === worktree);
    if (of) Object.assign(of, { zoneId: null });

    expect(of && firingOf(of, made.state())).toBeUndefined();
  });
});

describe('a zone', () => {
  it('counts what works and what waits', () => {
    const made = world();
    for (const state of ['running', 'approval', 'waiting', 'asking', 'passed', 'failed'] as const)
      made.firing('ob_test', made.worktree(state, state, people.eva), state);

    expect(workIn('ob_test', made.state())).toMatchObject({ inWork: 2, waiting: 1 });
    expect(workIn('ob_deploy', made.state())).toMatchObject({ inWork: 0, waiting: 0 });
  });
});

it('what asks a person counts as a need of its board', () => {
  const made = world();
  made.firing('ob_test', made.worktree('a', 'a', people.eva), 'asking');
  made.firing('ob_test', made.worktree('b', 'b', people.eva), 'approval');
  made.firing('ob_test', made.worktree('c', 'c', people.eva), 'running');

  expect(countsOf('warehouse.agor', made.state()).needs).toBe(2);
});

it('of the runs of a card only the live ones and the last one are kept', () => {
  const made = world();
  const worktree = made.worktree('a', 'a', people.eva);
  made.firing('ob_test', worktree, 'running');
  const [first] = made.firings as [Firing];
  let shared = made.state();

  shared = heard(shared, { ...first, state: 'passed', movedTo: 'ob_deploy' }, 2);
  const second: Firing = { ...first, id: 'fi_second', zoneId: 'ob_deploy', zone: 'Deploy', arrival: first.arrival + 1, state: 'running' };
  shared = heard(shared, second, 3);

  expect([...shared.firings.keys()]).toEqual(['fi_second']);
});

it('a run says in one line what came of it', () => {
  const made = world();
  made.firing('ob_test', made.worktree('a', 'a', people.eva), 'passed', { movedTo: 'ob_deploy' });
  const [firing] = made.firings as [Firing];

  expect(firingWords(firing, zoneName)).toBe('Passed, moved to Deploy');
  expect(firingWords({ ...firing, movedTo: 'ob_gone' }, zoneName)).toBe('Passed, moved on');
  expect(firingWords({ ...firing, state: 'failed' }, zoneName)).toBe('Test failed');
});
