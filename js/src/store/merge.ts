// A policy that two people change at once: what one of them did not touch is the other's. Pure.
import type { ZonePolicy } from '../protocol/generated';

export type Field = keyof ZonePolicy;

const FIELDS: readonly Field[] = [
  'isOn',
  'isPaused',
  'prompt',
  'agent',
  'options',
  'target',
  'how',
  'limit',
  'gates',
  'next',
  'onFailure',
  'asksFirst',
  'needsApproval',
  'budgetUsd',
  'agentsMayEnter',
];

/** By value. The server's document gives the fields of an object back in any order. */
export const isSame = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return names.length === Object.keys(b).length && names.every(name => Object.hasOwn(b, name) && isSame(left[name], right[name]));
};

/** In which fields two differ. */
export const changed = (before: ZonePolicy, after: ZonePolicy): Field[] => FIELDS.filter(name => !isSame(before[name], after[name]));

export interface Merged {
  /** Mine where both changed a field. */
  readonly policy: ZonePolicy;
  /** Fields that both changed, and not to the same. */
  readonly conflicts: readonly Field[];
}

/** `base`: what both started from. */
export const merge = (base: ZonePolicy, mine: ZonePolicy, theirs: ZonePolicy): Merged => {
  const ours = changed(base, mine);
  const own = Object.fromEntries(ours.map(name => [name, mine[name]]));
  return { policy: { ...theirs, ...own }, conflicts: ours.filter(name => !isSame(base[name], theirs[name]) && !isSame(mine[name], theirs[name])) };
};
