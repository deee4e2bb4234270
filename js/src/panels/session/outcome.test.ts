import { describe, expect, it } from 'vitest';

import type { Session, Turn } from '../../protocol/generated.js';
import { openOutcome } from './Outcome.js';

const session = (more: Partial<Session> = {}) => ({ id: 's', lastTurnId: 't1', currentTurnId: null, queue: [], ...more }) as unknown as Session;
const turn = (more: Partial<Turn> = {}) => ({ id: 't1', sessionId: 's', number: 1, state: 'failed', resolution: null, ...more }) as unknown as Turn;

describe('what waits for a decision', () => {
  it('is the last turn, when it failed', () => {
    expect(openOutcome(session(), [turn(), turn({ id: 't0', number: 0 })])?.id).toBe('t1');
  });

  it('is nothing that was taken up again: the next turn runs or waits', () => {
    expect(openOutcome(session({ currentTurnId: 't2' }), [turn()])).toBeNull();
    expect(openOutcome(session({ queue: ['t2'] }), [turn()])).toBeNull();
  });

  it('is an interrupted turn, whatever waits behind it', () => {
    expect(openOutcome(session({ queue: ['t2'] }), [turn({ state: 'interrupted' })])?.id).toBe('t1');
    expect(openOutcome(session(), [turn({ state: 'interrupted', resolution: 'discarded' })])).toBeNull();
  });
});
