// A policy is read out of whatever a file or a colleague's browser put there, and said in the words of a head.
import { describe, expect, it } from 'vitest';

import { World } from '../../dev/made-up';
import { readObject, unreadableField } from './objects';
import { firstCommand, hasTrigger, PLAIN, policyWords, readPolicy, starts } from './policy';

const ZONE = { kind: 'zone', x: 0, y: 0, width: 296, height: 400, name: 'Test' };
const state = new World().state();
const zoneName = (id: string): string => (id === 'ob_review' ? 'Review' : '');
const said = (policy: Partial<typeof PLAIN>): string[] => policyWords({ ...PLAIN, ...policy }, { state, zoneName }).map(({ text }) => text);

describe('readPolicy', () => {
  it('fills in what is not said, and passes over what is not known', () => {
    expect(readPolicy({ prompt: 'x', colour: 'red', limit: 2 })).toEqual({ ...PLAIN, prompt: 'x', limit: 2 });
    expect(readPolicy(undefined)).toBeNull();
    expect(readPolicy(null)).toBeNull();
  });

  it('takes names as Python writes them', () => {
    expect(readPolicy({ on_failure: 'ob_1', needs_approval: true })).toEqual({ ...PLAIN, onFailure: 'ob_1', needsApproval: true });
  });

  it.each([
    ['policy', 'run pytest'],
    ['policy', []],
    ['isOn', { isOn: 'yes' }],
    ['limit', { limit: 0 }],
    ['limit', { limit: 1.5 }],
    ['target', { target: 'everybody' }],
    ['options', { options: { model: 3 } }],
    ['gates', { gates: [{ kind: 'prayer', run: 'x' }] }],
    ['gates', { gates: [{ run: '' }] }],
    ['gates', { gates: Array.from({ length: 5 }, () => ({ run: 'x' })) }],
    ['budgetUsd', { budgetUsd: -1 }],
    ['prompt', { prompt: { text: 'x' } }],
  ])('says that %s cannot be read', (field, raw) => {
    expect(readPolicy(raw)).toBe(field);
  });

  it('leaves the zone on the board when its policy cannot be read, and says which field', () => {
    const zone = readObject({ ...ZONE, policy: { limit: 'many' } });

    expect(zone).toEqual({ ...ZONE, color: '', policy: null });
    expect(typeof zone === 'string' ? '' : unreadableField(zone)).toBe('limit');
  });

  it('never writes into a copy that it could not be read', () => {
    const zone = readObject({ ...ZONE, policy: 7 });

    expect(Object.keys({ ...(zone as object) }).sort()).toEqual(['color', 'height', 'kind', 'name', 'policy', 'width', 'x', 'y']);
  });
});

describe('whether something starts', () => {
  it.each([
    [null, false],
    [PLAIN, false],
    [{ ...PLAIN, prompt: '  ' }, false],
    [{ ...PLAIN, prompt: 'x' }, true],
    [{ ...PLAIN, prompt: 'x', isOn: false }, false],
    [{ ...PLAIN, prompt: 'x', isPaused: true }, true],
    [{ ...PLAIN, gates: [{ kind: 'command' as const, run: 'x', when: 'after' as const }] }, true],
  ])('%#', (policy, expected) => {
    expect(starts(policy)).toBe(expected);
  });

  it('is another thing than what it means', () => {
    expect(hasTrigger({ ...PLAIN, prompt: 'x', isOn: false })).toBe(true);
  });
});

describe('the words of a head', () => {
  it('say that nothing runs', () => {
    expect(said({})).toEqual(['No trigger']);
  });

  it('go in the order in which it happens', () => {
    const gate = { kind: 'command' as const, run: 'dbt build' };
    const policy = {
      agent: 'claude',
      prompt: 'x',
      gates: [
        { ...gate, when: 'after' as const },
        { ...gate, run: 'lint', when: 'before' as const },
      ],
    };

    expect(said({ ...policy, needsApproval: true, next: 'ob_review', budgetUsd: 5 })).toEqual([
      'lint',
      'Claude, new session',
      'dbt build',
      'approval',
      'then Review',
      '$5 per card',
    ]);
  });

  it.each([
    [{ target: 'latest' }, 'Claude, latest session'],
    [{ target: 'latest', how: 'fork' }, 'Claude, fork of latest session'],
    [{ target: 'each', how: 'spawn' }, 'Claude, below each session'],
    [{ target: 'ask' }, 'Ask me'],
    [{ agent: 'script' }, 'Script'],
    [{ agent: '' }, 'Default agent, new session'],
    [{ agent: 'gone' }, 'gone, new session'],
  ] as const)('%o: %s', (policy, expected) => {
    expect(said({ agent: 'claude', prompt: 'x', ...policy })[0]).toBe(expected);
  });

  it('begin with what keeps it from running', () => {
    expect(said({ prompt: 'x', isOn: false, isPaused: true })[0]).toBe('Off');
    expect(said({ prompt: 'x', isPaused: true })[0]).toBe('Paused');
  });

  it('do not name a zone that is gone', () => {
    expect(said({ prompt: 'x', next: 'ob_gone' })).toEqual(['Default agent, new session']);
  });
});

it('a script’s prompt runs its first block', () => {
  expect(firstCommand('Ship it:\n\n```sh\n\ndbt build --target prod\ndbt test\n```')).toBe('dbt build --target prod');
  expect(firstCommand('nothing in it')).toBe('');
});
