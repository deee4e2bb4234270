// The last line of a card: what was changed, what it cost, how old it is. Pure; the clock is handed in.
import type { Session, Work, Worktree } from '../protocol/generated';
import { texts } from '../texts';
import { age } from '../texts/ages';
import { money } from '../texts/money';

export interface Foot {
  readonly changes: { readonly added: number; readonly deleted: number; readonly files: number } | null;
  readonly text: string;
  /** Work that no figure shows, in a few words, and in whole sentences. */
  readonly work: string;
  readonly works: readonly string[];
  /** What an agent has not finished in its sandbox. */
  readonly inside: string;
  readonly cost: string;
  readonly age: string;
}

/** “1 repository inside, rebase under way”. */
const workOf = (works: readonly Work[]): string => {
  const sums = new Map<Work['kind'], number>();
  for (const one of works) sums.set(one.kind, (sums.get(one.kind) ?? 0) + numberOf(one));
  return [...sums].map(([kind, number]) => texts.work[kind](number, works.find(one => one.kind === kind)?.names[0] ?? '')).join(', ');
};

const numberOf = (one: Work): number => {
  switch (one.kind) {
    case 'commits':
    case 'detached':
      return one.commits;
    case 'stash':
      return one.stashes;
    case 'hidden':
    case 'ignored':
    case 'own':
    case 'changes':
    case 'untracked':
    case 'filtered':
      return one.files;
    default:
      return 1;
  }
};

export const footOf = (worktree: Worktree, sessions: readonly Session[], now: number): Foot => {
  const status = worktree.status;
  const works = status?.work.filter(one => one.kind !== 'own') ?? []; // what is an agent’s own is in the panel
  let cost = 0;
  let hasCost = false;
  let isEstimate = false;
  let latest = worktree.createdAt;
  for (const session of sessions) {
    if (session.usage.costUsd !== null) {
      hasCost = true;
      cost += session.usage.costUsd;
      isEstimate ||= session.usage.isEstimate;
    }
    if (session.updatedAt > latest) latest = session.updatedAt;
  }
  return {
    changes: status && status.files > 0 ? { added: status.added, deleted: status.deleted, files: status.files } : null,
    text: status && !(status.dirty || works.length) ? 'No changes' : '',
    work: workOf(works.filter(one => one.kind !== 'sandbox')),
    inside: status?.inside ? texts.inside(status.inside.operation, status.inside.conflicted) : '',
    works: works.map(one => one.text),
    cost: money(hasCost ? cost : null, isEstimate),
    age: age(latest, now),
  };
};
