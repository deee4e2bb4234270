// Which agent, with which model and mode, for a session that is about to be made.
import { useEffect, useRef, useState } from 'react';

import type { AgentStatus, Preference, Session, SessionOption } from '../../protocol/generated.js';
import * as requests from '../../session/requests.js';
import { dialogTexts } from '../../texts';
import { Field } from '../common/Dialog.js';
import { canSteer, useApp, useShared } from '../context.js';

const words = dialogTexts.choice;

export interface AgentChoice {
  readonly agent: string;
  readonly status: AgentStatus | undefined;
  readonly select: (agent: string) => void;
  readonly valueOf: (option: SessionOption) => string;
  /** What the session gets when nobody picks, as far as that is known. */
  readonly startOf: (option: SessionOption) => string | undefined;
  /** An empty value takes it back. */
  readonly pick: (id: string, value: string) => void;
  /** Only what the person picked here: the rest is the server's to find. */
  readonly options: Readonly<Record<string, string>>;
  readonly isDefault: boolean;
  readonly setDefault: (isDefault: boolean) => void;
  /** Keeps it as the person's default, where that was asked for. */
  readonly keep: () => Promise<void>;
  readonly budget: string;
  readonly setBudget: (budget: string) => void;
  /** Starts a session with all of this. Called again after a failure, it is the same session. */
  readonly start: (worktreeId: string, prompt: string, attachments?: readonly string[]) => Promise<Session>;
  /** What was asked for has changed: the next start is another one. */
  readonly renew: () => void;
}

/** `origin`: the session that is forked, whose choices a fork by the same agent takes over. */
export function useAgentChoice(start?: string, origin?: Session): AgentChoice {
  const { client, commands } = useApp();
  const { agents } = useShared();
  const key = useRef(requests.newKey());
  const [budget, setBudget] = useState('');
  const [chosen, select] = useState(start ?? '');
  const [picked, setPicked] = useState<Readonly<Record<string, Readonly<Record<string, string>>>>>({});
  const [isDefault, setDefault] = useState(false);
  const preferences = usePreferences();
  const installed = [...agents.values()].filter(({ isInstalled }) => isInstalled);
  const first =
    installed.find(({ agent, isSignedIn }) => !agent.isBuiltin && isSignedIn !== false) ??
    installed.find(({ agent }) => !agent.isBuiltin) ??
    installed[0];
  const status = agents.get(chosen) ?? first;
  const agent = status?.agent.name ?? '';
  const options = picked[agent] ?? {};
  const preferred = preferences.get(agent)?.options ?? {};
  const keep = async () => {
    if (isDefault && agent) await requests.preferences.set(client, agent, { ...preferred, ...options });
  };
  const startOf = ({ id }: SessionOption) =>
    (origin?.agent === agent ? origin.chosen[id] : undefined) ?? preferred[id] ?? (id === 'mode' ? status?.startingMode : undefined) ?? undefined;
  return {
    agent,
    status,
    select,
    options,
    isDefault,
    setDefault,
    valueOf: option => options[option.id] ?? startOf(option) ?? option.value,
    startOf,
    pick: (id, value) =>
      setPicked(before => {
        const { [id]: _, ...rest } = before[agent] ?? {};
        return { ...before, [agent]: value ? { ...rest, [id]: value } : rest };
      }),
    keep,
    budget,
    setBudget,
    start: async (worktreeId, prompt, attachments = []) => {
      const hardUsd = budget.trim() ? Number(budget) : null;
      if (hardUsd !== null && !(hardUsd > 0)) throw new Error(words.badBudget);
      await keep();
      const first = prompt.trim() ? { prompt, attachments: [...attachments] } : {};
      return commands.createSession({ worktreeId, agent, options, budgetUsd: hardUsd, ...first }, key.current);
    },
    renew: () => (key.current = requests.newKey()),
  };
}

function usePreferences(): ReadonlyMap<string, Preference> {
  const { client } = useApp();
  const [found, setFound] = useState<ReadonlyMap<string, Preference>>(new Map());
  useEffect(() => {
    let isGone = false;
    // Without them the agents' own defaults are shown.
    requests.preferences.list(client).then(
      list => !isGone && setFound(new Map(list.map(one => [one.agent, one]))),
      () => undefined,
    );
    return () => {
      isGone = true;
    };
  }, [client]);
  return found;
}

/** “Version 2.1.0, signed in”. */
export function stateOf(status: AgentStatus): string {
  const { version, isSignedIn } = status;
  return words.versionOf(
    version ? dialogTexts.agents.version(version) : null,
    isSignedIn === null ? '' : isSignedIn ? dialogTexts.agents.signedIn : dialogTexts.agents.signedOut,
  );
}

interface Props {
  choice: AgentChoice;
  label: string;
  /** Leads to the agents, where what was typed is not lost by it. */
  onManage?: (() => void) | undefined;
  hasBudget?: boolean;
}

/** One that is not installed cannot be chosen, and says how to get it. */
export function AgentFields({ choice, label, onManage, hasBudget = false }: Props) {
  const shared = useShared();
  const { status } = choice;
  const options = (status?.options ?? []).filter(({ choices }) => choices.length > 0);
  const main = ['model', 'mode'].flatMap(id => options.find(option => option.id === id) ?? []);
  const others = options.filter(option => !main.includes(option));
  const isOwner = shared.me?.role === 'owner';
  const isSignedOut = status?.isSignedIn === false;
  const missing = [...shared.agents.values()].some(({ isInstalled }) => !isInstalled);
  return (
    <>
      <Field
        label={label}
        hint={status && !isSignedOut ? stateOf(status) || undefined : undefined}
        problem={isSignedOut ? words.notSignedIn : undefined}
      >
        {id => (
          <div className="agor-row">
            <select id={id} className="agor-select agor-grow" value={choice.agent} onChange={event => choice.select(event.target.value)}>
              {[...shared.agents.values()].map(({ agent, isInstalled }) => (
                <option key={agent.name} value={agent.name} disabled={!isInstalled}>
                  {isInstalled ? agent.label : words.notInstalled(agent.label)}
                </option>
              ))}
            </select>
            {onManage && (missing || isSignedOut) && canSteer(shared) && (
              <button type="button" className="agor-btn" onClick={onManage}>
                {isSignedOut ? dialogTexts.agents.signIn : words.manage}
              </button>
            )}
          </div>
        )}
      </Field>
      {(main.length > 0 || (hasBudget && isOwner)) && (
        <div className="agor-columns agor-columns-fit">
          {main.map(option => (
            <OptionField key={option.id} option={option} choice={choice} />
          ))}
          {hasBudget && isOwner && (
            <Field label={words.budget} hint={choice.budget ? words.budgetHint : undefined}>
              {id => (
                <input
                  id={id}
                  className="agor-input"
                  inputMode="decimal"
                  value={choice.budget}
                  placeholder={words.none}
                  autoComplete="off"
                  onChange={event => choice.setBudget(event.target.value)}
                />
              )}
            </Field>
          )}
        </div>
      )}
      {others.length > 0 && (
        <details className="agor-details">
          <summary>{words.more}</summary>
          <div className="agor-columns">
            {others.map(option => (
              <OptionField key={option.id} option={option} choice={choice} />
            ))}
          </div>
        </details>
      )}
      {options.length > 0 && (
        <label className="agor-check">
          <input type="checkbox" checked={choice.isDefault} onChange={event => choice.setDefault(event.target.checked)} />
          {words.asDefaultOf(status?.agent.label ?? '')}
        </label>
      )}
    </>
  );
}

function OptionField({ option, choice }: { option: SessionOption; choice: AgentChoice }) {
  const value = choice.valueOf(option);
  const start = choice.startOf(option);
  const nameOf = (wanted: string) => option.choices.find(({ id }) => id === wanted)?.name ?? wanted;
  const chosen = option.choices.find(({ id }) => id === value);
  // A select tells nobody that the entry it shows was picked: what comes by itself is an entry of its own, so that the same can be picked.
  const shown = start !== undefined && choice.options[option.id] === undefined ? '' : value;
  return (
    <Field label={option.name} hint={chosen?.description ?? undefined}>
      {id => (
        <select id={id} className="agor-select" value={shown} onChange={event => choice.pick(option.id, event.target.value)}>
          {start !== undefined && <option value="">{words.unpicked(nameOf(start))}</option>}
          {start === undefined && !chosen && <option value={value}>{value || words.byAgent}</option>}
          {option.choices.map(one => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
