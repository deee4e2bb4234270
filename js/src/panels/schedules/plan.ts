// A schedule while it is being edited: fields as they are typed, and the plan that they make. Pure.
import type { Schedule, ScheduleCreate, SessionFinished, Target, When, ZoneFinished } from '../../protocol/generated.js';
import { dialogTexts } from '../../texts';
import { fieldMoment, personZone } from '../../texts/ages.js';

const words = dialogTexts.schedules.dialog;

export type Draft = {
  readonly name: string;
  readonly kind: When['kind'];
  readonly expression: string;
  readonly zone: string;
  readonly every: string;
  readonly unit: string;
  readonly at: string;
  readonly branch: string;
  readonly side: 'here' | 'remote';
  readonly path: string;
  readonly outcome: SessionFinished['outcome'];
  readonly title: string;
  readonly finishedZoneId: string;
  readonly zoneOutcome: ZoneFinished['outcome'];
  readonly failedBranch: string;
  readonly where: Target['kind'];
  readonly worktreeId: string;
  readonly repoId: string;
  readonly zoneId: string;
  readonly what: 'prompt' | 'script' | 'notebook';
  readonly prompt: string;
  readonly script: string;
  readonly notebook: string;
  readonly overlap: Schedule['overlap'];
  readonly late: Schedule['late'];
  readonly retries: string;
  readonly limit: string;
  readonly budget: string;
  readonly day: string;
  readonly allow: boolean;
};

export const emptyDraft = (worktreeId: string, repoId: string, now: number): Draft => ({
  name: '',
  kind: 'cron',
  expression: '0 7 * * 1-5',
  zone: personZone(),
  every: '1',
  unit: '3600',
  at: fieldMoment(new Date(now + 3_600_000).toISOString()),
  branch: 'main',
  side: 'here',
  path: '',
  outcome: 'done',
  title: '',
  finishedZoneId: '',
  zoneOutcome: 'passed',
  failedBranch: '',
  where: worktreeId ? 'worktree' : 'fresh',
  worktreeId,
  repoId,
  zoneId: '',
  what: 'prompt',
  prompt: '',
  script: '',
  notebook: '',
  overlap: 'skip',
  late: 'latest',
  retries: '0',
  limit: '240',
  budget: '',
  day: '',
  allow: false,
});

const text = (number: number | null): string => (number === null ? '' : String(number));

export function draftOf(schedule: Schedule, base: Draft): Draft {
  const { when, target } = schedule;
  const unit = when.kind === 'interval' ? ([86_400, 3600, 60].find(one => when.seconds % one === 0) ?? 1) : 3600;
  return {
    ...base,
    name: schedule.name,
    kind: when.kind,
    ...(when.kind === 'cron' ? { expression: when.expression, zone: when.zone } : {}),
    // A number of seconds that no unit divides is shown in minutes, with its fraction.
    ...(when.kind === 'interval'
      ? { every: String(unit === 1 ? when.seconds / 60 : when.seconds / unit), unit: String(unit === 1 ? 60 : unit) }
      : {}),
    ...(when.kind === 'once' ? { at: fieldMoment(when.at) } : {}),
    ...(when.kind === 'branch_moved' ? { branch: when.branch, side: when.remote ? ('remote' as const) : ('here' as const) } : {}),
    ...(when.kind === 'path_changed' ? { path: when.path } : {}),
    ...(when.kind === 'session_finished' ? { outcome: when.outcome, title: when.title } : {}),
    ...(when.kind === 'zone_finished' ? { finishedZoneId: when.zoneId, zoneOutcome: when.outcome } : {}),
    ...(when.kind === 'check_failed' ? { failedBranch: when.branch } : {}),
    where: target.kind,
    ...(target.kind === 'fresh' ? { repoId: target.repoId } : { worktreeId: target.worktreeId }),
    ...(target.kind === 'zone' ? { zoneId: target.zoneId } : {}),
    what: schedule.script ? 'script' : schedule.notebook ? 'notebook' : 'prompt',
    prompt: schedule.prompt,
    script: schedule.script,
    notebook: schedule.notebook,
    overlap: schedule.overlap,
    late: schedule.late,
    retries: String(schedule.retries),
    limit: text(schedule.limitSeconds === null ? null : schedule.limitSeconds / 60),
    budget: text(schedule.budgetUsd),
    day: text(schedule.dayUsd),
    allow: schedule.allow,
  };
}

/** `null`: it cannot be one yet. What has no field here stays as it is in `known`. */
export function whenOf(draft: Draft, known?: When): When | null {
  switch (draft.kind) {
    case 'cron': {
      const expression = draft.expression.trim().replace(/\s+/g, ' ');
      return expression.split(' ').length === 5 ? { kind: 'cron', expression, zone: draft.zone.trim() || 'UTC' } : null;
    }
    case 'interval': {
      const seconds = Math.round(Number(draft.every) * Number(draft.unit));
      return draft.every.trim() && seconds >= 60 ? { kind: 'interval', seconds } : null;
    }
    case 'once': {
      const at = new Date(draft.at);
      return Number.isNaN(at.getTime()) ? null : { kind: 'once', at: at.toISOString() };
    }
    case 'branch_moved': {
      const branch = draft.branch.trim();
      // How often the remote is asked is set elsewhere, and stays.
      const everySeconds = known?.kind === 'branch_moved' ? known.everySeconds : 300;
      return branch ? { kind: 'branch_moved', branch, remote: draft.side === 'remote', everySeconds } : null;
    }
    case 'path_changed':
      return draft.path.trim() ? { kind: 'path_changed', path: draft.path.trim() } : null;
    case 'session_finished':
      return { kind: 'session_finished', outcome: draft.outcome, title: draft.title.trim() };
    case 'zone_finished':
      return draft.finishedZoneId ? { kind: 'zone_finished', zoneId: draft.finishedZoneId, outcome: draft.zoneOutcome } : null;
    case 'check_failed':
      return { kind: 'check_failed', branch: draft.failedBranch.trim() };
    case 'webhook':
      return { kind: 'webhook' };
  }
}

/** It comes to an address of its own. */
export const isHooked = (kind: When['kind']): boolean => kind === 'check_failed' || kind === 'webhook';

function targetOf(draft: Draft, known?: Target): Target | null {
  switch (draft.where) {
    case 'worktree':
      return draft.worktreeId ? { kind: 'worktree', worktreeId: draft.worktreeId } : null;
    case 'zone':
      return draft.worktreeId && draft.zoneId ? { kind: 'zone', worktreeId: draft.worktreeId, zoneId: draft.zoneId } : null;
    case 'fresh': {
      if (!draft.repoId) return null;
      const same = known?.kind === 'fresh' ? known : { base: null, branch: '{{ schedule.name }}-{{ slot.number }}' };
      return { kind: 'fresh', repoId: draft.repoId, base: same.base, branch: same.branch };
    }
  }
}

/** Raises a sentence for a person. */
function number(value: string, name: string): number | null {
  if (!value.trim()) return null;
  const found = Number(value);
  if (!(found > 0)) throw new Error(words.badNumber(name));
  return found;
}

/** The plan. Raises a sentence for a person where something is missing. */
export function planOf(
  draft: Draft,
  agent: { readonly agent: string; readonly options: Readonly<Record<string, string>> },
  known?: Schedule,
): Omit<ScheduleCreate, 'board'> {
  const when = whenOf(draft, known?.when);
  const target = targetOf(draft, known?.target);
  const isZone = draft.where === 'zone';
  if (!draft.name.trim() || !when || !target || (!isZone && !draft[draft.what].trim())) throw new Error(words.fields);
  const limit = number(draft.limit, words.limit);
  const chosen = (what: Draft['what']): string => (!isZone && draft.what === what ? draft[what] : '');
  return {
    name: draft.name.trim(),
    when,
    target,
    prompt: chosen('prompt'),
    script: chosen('script'),
    notebook: chosen('notebook').trim(),
    ...(draft.what === 'prompt' && !isZone ? { agent: agent.agent, options: { ...agent.options } } : {}),
    overlap: draft.overlap,
    late: draft.late,
    retries: Math.max(0, Math.min(10, Math.round(Number(draft.retries) || 0))),
    limitSeconds: limit === null ? null : Math.round(limit * 60),
    budgetUsd: number(draft.budget, words.budget),
    dayUsd: number(draft.day, words.day),
    allow: draft.allow,
  };
}
