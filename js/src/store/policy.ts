// What happens to a card that arrives in a zone, read out of the document with care, and said in words. Pure.
import type { Gate, ZonePolicy } from '../protocol/generated';
import { texts } from '../texts';
import { money } from '../texts/money';
import type { BoardState } from './types';

/** What a zone has where nothing else is said: it only holds cards. */
export const PLAIN: ZonePolicy = {
  isOn: true,
  isPaused: false,
  prompt: '',
  agent: '',
  options: {},
  target: 'new',
  how: 'prompt',
  limit: null,
  gates: [],
  next: null,
  onFailure: null,
  asksFirst: false,
  needsApproval: false,
  budgetUsd: null,
  agentsMayEnter: false,
};

type Fields = Readonly<Record<string, unknown>>;

const MOST_GATES = 4;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
const isFlag = (value: unknown): boolean => typeof value === 'boolean';
const isText = (value: unknown): value is string => typeof value === 'string';
const isId = (value: unknown): boolean => value === null || isText(value);
const isOneOf =
  (...known: readonly string[]) =>
  (value: unknown): boolean =>
    isText(value) && known.includes(value);
const isGate = (value: unknown): boolean =>
  isFields(value) && isText(value['run']) && value['run'] !== '' && isOneOf('command', 'notebook', 'function')(value['kind'] ?? 'command');

const CHECKS = {
  isOn: isFlag,
  isPaused: isFlag,
  prompt: isText,
  agent: isText,
  options: value => isFields(value) && Object.values(value).every(isText),
  target: isOneOf('new', 'latest', 'ask', 'each'),
  how: isOneOf('prompt', 'fork', 'spawn'),
  limit: value => value === null || (Number.isInteger(value) && Number(value) > 0),
  gates: value => Array.isArray(value) && value.length <= MOST_GATES && value.every(isGate),
  next: isId,
  onFailure: isId,
  asksFirst: isFlag,
  needsApproval: isFlag,
  budgetUsd: value => value === null || (Number.isFinite(value) && Number(value) > 0),
  agentsMayEnter: isFlag,
} satisfies { [K in keyof ZonePolicy]: (value: unknown) => boolean };

const snake = (name: string): string => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);

/** The policy, `null` for none, or which field of it cannot be read. Names that are not known here are passed over. */
export const readPolicy = (raw: unknown): ZonePolicy | null | string => {
  if (raw === undefined || raw === null) return null;
  if (!isFields(raw)) return 'policy';
  const read: Record<string, unknown> = { ...PLAIN };
  for (const [name, check] of Object.entries(CHECKS)) {
    // A file that a person wrote may have it as Python does.
    const value = raw[name] ?? raw[snake(name)];
    if (value === undefined || value === null) continue;
    if (!check(value)) return name;
    read[name] = value;
  }
  read['gates'] = (read['gates'] as Fields[]).map(gate => ({ kind: 'command', ...gate, when: gate['when'] === 'before' ? 'before' : 'after' }));
  return read as unknown as ZonePolicy; // each field was checked above
};

/** Whether it would start anything if it were on. */
export const hasTrigger = ({ prompt, gates }: ZonePolicy): boolean => prompt.trim() !== '' || gates.length > 0;

export const starts = (policy: ZonePolicy | null): policy is ZonePolicy => policy?.isOn === true && hasTrigger(policy);

/** The first line of the first block of code in a prompt: what a prompt for a script runs. */
export const firstCommand = (prompt: string): string => /^```\w*[^\S\n]*\n+([^\n]+)/m.exec(prompt)?.[1]?.trim() ?? '';

export interface Words {
  readonly icon: 'bolt' | 'gate' | 'coin' | 'pause' | null;
  readonly text: string;
  /** It is a command. */
  readonly isCode?: boolean;
  readonly tone?: 'need' | 'fail';
}

export interface Naming {
  readonly state: BoardState;
  /** The name of a zone; '' when it is not on the board. */
  zoneName(id: string): string;
}

/** “Claude, new session”. */
const who = (policy: ZonePolicy, { agents }: BoardState): string => {
  if (policy.target === 'ask') return texts.zone.askMe;
  const agent = agents.get(policy.agent)?.agent;
  const name = agent?.label ?? (policy.agent || texts.zone.defaultAgent);
  if (policy.target === 'new') return agent?.isBuiltin ? name : `${name}, ${texts.zone.targets.new}`;
  return `${name}, ${texts.zone.hows[policy.how](texts.zone.targets[policy.target])}`;
};

const gateWords = ({ run }: Gate): Words => ({ icon: 'gate', text: run.split('\n', 1)[0] ?? '', isCode: true });

/** A policy in the words of the second line of a zone's head, in the order in which it happens. */
export const policyWords = (policy: ZonePolicy, naming: Naming): Words[] => {
  if (!hasTrigger(policy)) return [{ icon: null, text: texts.zone.noTrigger }];
  const then = policy.next === null ? '' : naming.zoneName(policy.next);
  const otherwise = policy.onFailure === null ? '' : naming.zoneName(policy.onFailure);
  const words: (Words | false | '')[] = [
    !policy.isOn && { icon: null, text: texts.zone.off },
    policy.isOn && policy.isPaused && { icon: 'pause', text: texts.zone.paused },
    ...policy.gates.filter(({ when }) => when === 'before').map(gateWords),
    policy.prompt.trim() !== '' && { icon: 'bolt', text: who(policy, naming.state) },
    policy.asksFirst && policy.target !== 'ask' && { icon: null, text: texts.zone.asksFirst },
    ...policy.gates.filter(({ when }) => when === 'after').map(gateWords),
    policy.needsApproval && { icon: null, text: texts.zone.needsApproval },
    then && { icon: null, text: texts.zone.andThen(then) },
    otherwise && { icon: null, text: texts.zone.otherwise(otherwise) },
    policy.budgetUsd !== null && { icon: 'coin', text: texts.zone.perCard(money(policy.budgetUsd).replace(/\.00$/, '')) },
  ];
  return words.filter((one): one is Words => Boolean(one));
};

/** What dropping a card would start, in the words of a note: until the server says it better. */
export const startWords = (policy: ZonePolicy, naming: Naming): string =>
  policyWords({ ...policy, needsApproval: false, budgetUsd: null }, naming)
    .map(({ text }) => text)
    .join(', ');
