// A schedule as it is typed, and the plan that it makes.
import { describe, expect, it } from 'vitest';

import type { Schedule } from '../../protocol/generated.js';
import { span, weekOf } from '../../texts/ages.js';
import { draftOf, emptyDraft, planOf, whenOf } from './plan';

const NOW = Date.parse('2026-03-04T10:00:00Z');
const draft = { ...emptyDraft('wt_1', 're_1', NOW), name: 'Nightly', prompt: 'Do it', zone: 'Europe/Vienna' };
const agent = { agent: 'claude', options: { model: 'opus' } };

describe('a plan', () => {
  it('has what was chosen, and nothing of what was not', () => {
    const plan = planOf({ ...draft, script: 'echo left over' }, agent);

    expect(plan).toMatchObject({
      when: { kind: 'cron', expression: '0 7 * * 1-5', zone: 'Europe/Vienna' },
      target: { kind: 'worktree', worktreeId: 'wt_1' },
      prompt: 'Do it',
      script: '',
      agent: 'claude',
      options: { model: 'opus' },
      limitSeconds: 14_400,
    });
  });

  it('says what is missing before it is sent', () => {
    for (const change of [{ name: ' ' }, { prompt: '' }, { expression: '* * *' }, { where: 'zone' as const }, { kind: 'once' as const, at: '' }])
      expect(() => planOf({ ...draft, ...change }, agent)).toThrow('Give it a name');
    expect(() => planOf({ ...draft, budget: 'much' }, agent)).toThrow('Budget per run');
  });

  it('leaves the work to a zone', () => {
    const plan = planOf({ ...draft, where: 'zone', zoneId: 'ob_1' }, agent);

    expect(plan).toMatchObject({ target: { kind: 'zone', worktreeId: 'wt_1', zoneId: 'ob_1' }, prompt: '' });
    expect(plan.agent).toBeUndefined();
  });

  it('is the same after it was read back, also where a form has no fields for it', () => {
    const base = { ...planOf(draft, agent), parameters: {}, agent: 'claude' };
    for (const when of [
      { kind: 'interval', seconds: 5400 },
      { kind: 'interval', seconds: 172_800 },
      { kind: 'once', at: '2026-03-04T12:30:00.000Z' },
      { kind: 'cron', expression: '5 4 * * *', zone: 'UTC' },
      { kind: 'branch_moved', branch: 'main', remote: true, everySeconds: 900 },
      { kind: 'path_changed', path: 'models/**' },
      { kind: 'session_finished', outcome: 'failed', title: 'Nightly' },
      { kind: 'zone_finished', zoneId: 'ob_1', outcome: 'any' },
      { kind: 'check_failed', branch: 'release' },
      { kind: 'webhook' },
    ] as const) {
      const known = { ...base, when, retries: 2, budgetUsd: 1.5, dayUsd: null, limitSeconds: null } as unknown as Schedule;
      const again = planOf(draftOf(known, emptyDraft('', '', NOW)), agent, known);

      expect(again.when).toEqual(when);
      expect(again).toMatchObject({ retries: 2, budgetUsd: 1.5, dayUsd: null, limitSeconds: null });
    }
  });

  it('keeps the base and the branch of new worktrees', () => {
    const target = { kind: 'fresh', repoId: 're_1', base: 'release', branch: 'night-{{ slot.number }}' } as const;
    const known = { ...planOf(draft, agent), target, when: { kind: 'interval', seconds: 60 } } as unknown as Schedule;

    expect(planOf(draftOf(known, draft), agent, known).target).toEqual(target);
  });

  it('waits for nothing that was not named', () => {
    for (const kind of ['branch_moved', 'path_changed', 'zone_finished'] as const)
      expect(whenOf({ ...draft, kind, branch: ' ', path: '', finishedZoneId: '' })).toBeNull();
  });

  it('has no time shorter than a minute', () => {
    expect(whenOf({ ...draft, kind: 'interval', every: '0.5', unit: '60' })).toBeNull();
    expect(whenOf({ ...draft, kind: 'interval', every: '', unit: '60' })).toBeNull();
  });
});

it('a week is said without saying twice what its ends share', () => {
  expect(span(new Date(2026, 10, 2), new Date(2026, 10, 8))).toBe('2 to 8 Nov 2026');
  expect(span(new Date(2026, 10, 30), new Date(2026, 11, 6))).toBe('30 Nov to 6 Dec 2026');
  expect(span(new Date(2026, 11, 28), new Date(2027, 0, 3))).toBe('28 Dec 2026 to 3 Jan 2027');
});

it('a week begins on Monday, also where the clock is changed in it', () => {
  for (let n = 0; n < 400; n += 1) {
    const found = weekOf(Date.UTC(2026, 0, 1 + n, 13));
    expect(found.map(date => date.toTimeString().slice(0, 5))).toEqual(Array(8).fill('00:00'));
    expect(found[0]?.getDay()).toBe(1);
  }
});
