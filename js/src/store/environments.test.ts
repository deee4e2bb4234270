// What a card says of what runs beside its worktree.
import { describe, expect, it } from 'vitest';

import type { Environment, Event, Service } from '../protocol/generated';
import { applyAll, applyEnvironments, initialState } from './apply';
import { isUp, lineOf, pageOf } from './environments';

const service = (name: string, more: Partial<Service> = {}): Service => ({
  name,
  state: 'healthy',
  ports: { [name]: 9101 },
  restarts: 0,
  exitCode: null,
  reason: null,
  pid: 1,
  startedAt: '2026-01-01T00:00:00Z',
  healthyAt: null,
  memoryBytes: null,
  cpuPercent: null,
  ...more,
});
const environment = (more: Partial<Environment> = {}): Environment => ({
  worktreeId: 'wt_1',
  worktree: 'fix login',
  source: '.agor.yml',
  variant: 'default',
  variants: ['default'],
  state: 'healthy',
  services: [service('web')],
  ports: {},
  links: [{ name: 'app', service: 'web', url: '/proxy/9101/', isOpen: true }],
  reason: null,
  notices: [],
  needsTrust: false,
  by: null,
  updatedAt: '2026-01-01T00:00:00Z',
  ...more,
});

describe('the line of a card', () => {
  it('has the port, the link and what one press does, for who may', () => {
    expect(lineOf(environment(), true)).toMatchObject({ mark: 'done', state: 'Healthy', text: 'web 9101', link: 'app', deed: 'stop' });
    expect(lineOf(environment(), false).deed).toBeNull();
  });

  it('offers no second deed while one is under way, and none before it is trusted', () => {
    for (const state of ['starting', 'stopping'] as const) expect(lineOf(environment({ state }), true).deed).toBeNull();
    const untrusted = lineOf(environment({ state: 'stopped', services: [service('web', { state: 'stopped' })], needsTrust: true }), true);
    expect(untrusted).toMatchObject({ state: 'Needs trust', deed: null });
  });

  it('says which service failed, and why', () => {
    const line = lineOf(
      environment({ state: 'degraded', services: [service('web'), service('api', { state: 'failed', reason: 'It ended with 1.' })] }),
      true,
    );

    expect(line).toMatchObject({ text: 'api: It ended with 1.', isFailed: true, deed: 'stop' });
  });

  it('has no link before its service is up', () => {
    const links = [{ name: 'app', service: 'web', url: '/proxy/9101/', isOpen: false }];
    expect(lineOf(environment({ state: 'starting', links }), true).link).toBeNull();
  });
});

describe('a link', () => {
  it('stays below the server, whatever it says', () => {
    const base = 'https://hub.example.org/user/ann/';
    expect(pageOf({ url: '/proxy/9101/x?y#z' }, base)).toBe(`${base}proxy/9101/x?y#z`);
    for (const url of ['https://evil.example/', 'javascript:alert(1)', '../../bob/', '//evil.example/x', '/\\\\evil.example'])
      expect(pageOf({ url }, base) ?? base).toMatch(/^https:\/\/hub\.example\.org\/user\/ann\//);
  });
});

describe('what is known of environments', () => {
  it('is not put back by an answer that is older', () => {
    const newer = environment({ state: 'failed', updatedAt: '2026-01-02T00:00:00Z' });
    const state = applyEnvironments(applyEnvironments(initialState, [newer]), [environment()]);

    expect(state.environments.get('wt_1')).toBe(newer);
  });

  it('comes with the stream, and goes with its worktree', () => {
    const event = (n: number, body: Event['body']): Event =>
      ({ n, seq: null, sessionId: null, turnId: null, worktreeId: null, at: '', body }) as Event;
    const known = applyAll(initialState, [event(1, { kind: 'environment', environment: environment() })]);

    expect(known.environments.size).toBe(1);
    expect(applyAll(known, [event(2, { kind: 'removed', noun: 'worktree', id: 'wt_1' })]).environments.size).toBe(0);
  });

  it('is up while anything of it is', () => {
    expect(isUp(environment({ services: [service('a', { state: 'failed' }), service('b', { state: 'waiting' })] }))).toBe(true);
    expect(isUp(environment({ services: [service('a', { state: 'failed' }), service('b', { state: 'stopped' })] }))).toBe(false);
  });
});
