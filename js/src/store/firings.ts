// Runs of zones: which one a card shows, how many a zone has at work, and what they say. Pure.
import type { Firing, FiringState, Worktree } from '../protocol/generated';
import { texts } from '../texts';
import type { BoardState } from './types';

/** What counts against a zone's limit; what waits for a place in it; what asks before it takes one; and what is over. */
const PHASES = {
  waiting: 'waits',
  asking: 'asks',
  checking: 'works',
  running: 'works',
  verifying: 'works',
  approval: 'works',
  passed: 'over',
  failed: 'over',
  withdrawn: 'over',
} as const satisfies Record<FiringState, 'waits' | 'asks' | 'works' | 'over'>;

export const isLive = ({ state }: Firing): boolean => PHASES[state] !== 'over';

/** A person is asked. */
export const asksPerson = ({ state }: Firing): boolean => state === 'asking' || state === 'approval';

/** The later one of two of a worktree. */
const isLater = (a: Firing, b: Firing): boolean => (a.arrival !== b.arrival ? a.arrival > b.arrival : a.createdAt > b.createdAt);

interface Work {
  readonly inWork: number;
  readonly waiting: number;
  /** The board that the zone lies on; '' while nothing of it is live. */
  readonly board: string;
}

interface Index {
  readonly byWorktree: ReadonlyMap<string, Firing>;
  readonly byZone: ReadonlyMap<string, Work>;
}

const indices = new WeakMap<BoardState['firings'], Index>();

const indexOf = (firings: BoardState['firings']): Index => {
  let index = indices.get(firings);
  if (!index) {
    const byWorktree = new Map<string, Firing>();
    const byZone = new Map<string, { inWork: number; waiting: number; board: string }>();
    for (const firing of firings.values()) {
      const known = byWorktree.get(firing.worktreeId);
      if (!known || isLater(firing, known)) byWorktree.set(firing.worktreeId, firing);
      if (!isLive(firing)) continue;
      const zone = byZone.get(firing.zoneId) ?? { inWork: 0, waiting: 0, board: firing.board };
      const phase = PHASES[firing.state];
      if (phase === 'works') zone.inWork += 1;
      else if (phase === 'waits') zone.waiting += 1;
      byZone.set(firing.zoneId, zone);
    }
    indices.set(firings, (index = { byWorktree, byZone }));
  }
  return index;
};

const NONE: Work = { inWork: 0, waiting: 0, board: '' };

export const workIn = (zoneId: string, { firings }: BoardState): Work => indexOf(firings).byZone.get(zoneId) ?? NONE;

/** What a card says of: its live run, or the last one of the zone that it still lies in. */
export const firingOf = (worktree: Worktree, { firings }: BoardState): Firing | undefined => {
  const firing = indexOf(firings).byWorktree.get(worktree.id);
  return firing && (isLive(firing) || (firing.zoneId === worktree.zoneId && firing.state !== 'passed')) ? firing : undefined;
};

/** Of those that came, only these are shown: the live ones, and the last one of a worktree. */
export const isShown = (firing: Firing, firings: BoardState['firings']): boolean => {
  if (isLive(firing)) return true;
  const latest = indexOf(firings).byWorktree.get(firing.worktreeId);
  return !latest || latest.id === firing.id || isLater(firing, latest);
};

/** The gate that runs just now, or that failed. */
export const gateOf = ({ runs, policy, state }: Firing): string | null => {
  const run = state === 'failed' ? runs.findLast(({ outcome }) => outcome === 'failed') : runs.findLast(({ outcome }) => outcome === null);
  const gate = run?.gate ?? null;
  return gate === null ? null : (policy.gates[gate]?.run.split('\n', 1)[0] ?? null);
};

/** “Gate runs: pytest -q”. In one line, the same on the card, in the panel and in a list. */
export const firingWords = (firing: Firing, zoneName: (id: string) => string): string => {
  const gate = gateOf(firing);
  switch (firing.state) {
    case 'waiting':
      return firing.waitsFor ? texts.zone.waitsFor(firing.waitsFor) : texts.zone.waits;
    case 'asking':
      return texts.zone.asks(firing.zone);
    case 'checking':
    case 'verifying':
      return gate ? texts.zone.gateRuns(gate) : texts.zone.gate;
    case 'running':
      return texts.zone.runs(firing.zone);
    case 'approval':
      return texts.zone.moveOnTo(nameOf(firing.policy.next, zoneName));
    case 'passed':
      return firing.movedTo === null ? texts.zone.passed : texts.zone.passedTo(nameOf(firing.movedTo, zoneName));
    case 'failed':
      return gate ? texts.zone.gateFailed(gate) : texts.zone.failed(firing.zone);
    case 'withdrawn':
      return texts.zone.withdrawn;
  }
};

export const nameOf = (zoneId: string | null, zoneName: (id: string) => string): string => (zoneId === null ? '' : zoneName(zoneId));
