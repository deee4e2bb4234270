import { describe, expect, it } from 'vitest';

import type { Permission, PermissionOption } from '../../protocol/generated';
import { choicesOf } from './Permission';

const option = (kind: PermissionOption['kind'], id: string = kind): PermissionOption => ({ id, kind, name: id, reach: 'once', keptIn: null });
const ask = (ruleWords: string[] | null, options: PermissionOption[], ruleKind: string | null = 'execute'): Permission =>
  ({ ruleWords, ruleKind, options, title: '' }) as unknown as Permission;
const usual = [option('allow_always'), option('allow_once'), option('reject_once')];

describe('the answers to a question', () => {
  it('makes a rule of ours of “always”, not one that the agent keeps to itself', () => {
    const [once, always, no] = choicesOf(ask(['dbt', 'build', '-s', 'orders'], usual));

    expect(once).toMatchObject({ option: { id: 'allow_once' }, remember: null });
    expect(always).toMatchObject({
      label: 'Always in this session',
      option: { id: 'allow_once' },
      remember: { scope: 'session', commandPrefix: ['dbt', 'build'] },
    });
    expect(no).toMatchObject({ option: { id: 'reject_once' }, remember: null });
  });

  it('offers it to an agent that has no “always” of its own', () => {
    const choices = choicesOf(ask(null, [option('allow_once'), option('reject_once')], 'edit'));

    expect(choices.map(({ remember }) => remember)).toEqual([null, { scope: 'session' }, null]);
  });

  it('says that only every command covers what is not one simple command', () => {
    const choices = choicesOf(ask(null, usual));

    expect(choices.map(({ label, option: { kind }, remember }) => [label, kind, remember])).toEqual([
      ['Allow once', 'allow_once', null],
      ['Every command in this session', 'allow_once', { scope: 'session' }],
      ['Reject', 'reject_once', null],
    ]);
  });

  it('keeps the agent’s words for an “always” that no rule of ours can say', () => {
    const choices = choicesOf(ask(null, usual, null));

    expect(choices.map(({ label, remember }) => [label, remember])).toEqual([
      ['Allow once', null],
      ['allow_always', null],
      ['Reject', null],
    ]);
  });

  it('leaves several kinds of “always” to the agent', () => {
    const choices = choicesOf(ask(['ls'], [option('allow_always', 'a'), option('allow_always', 'b'), option('reject_once')]));

    expect(choices.map(({ label }) => label)).toEqual(['a', 'b', 'Reject']);
    expect(choices.every(({ remember }) => remember === null)).toBe(true);
  });
});
