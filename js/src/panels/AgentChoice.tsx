// Which agent, with which model and mode, for a session that is about to be made.
import { useEffect, useState } from 'react';

import type { AgentStatus, Preference, SessionOption } from '../protocol/generated.js';
import { dialogTexts } from '../texts.js';
import { canSteer, useApp, useShared } from './context.js';
import { Field } from './Dialog.js';

const words = dialogTexts.choice;

export interface AgentChoice {
  readonly agent: string;
  readonly status: AgentStatus | undefined;
  readonly select: (agent: string) => void;
  readonly valueOf: (option: SessionOption) => string;
  readonly pick: (id: string, value: string) => void;
  /** Only what the person picked here: the rest is the server's to find. */
  readonly options: Readonly<Record<string, string>>;
  readonly isDefault: boolean;
  readonly setDefault: (isDefault: boolean) => void;
  /** Keeps it as the person's default, where that was asked for. */
  readonly keep: () => Promise<void>;
}

export function useAgentChoice(start?: string): AgentChoice {
  const { client } = useApp();
  const { agents } = useShared();
  const [chosen, select] = useState(start ?? '');
  const [picked, setPicked] = useState<Readonly<Record<string, Readonly<Record<string, string>>>>>({});
  const [isDefault, setDefault] = useState(false);
  const preferences = usePreferences();
  const installed = [...agents.values()].filter(({ isInstalled }) => isInstalled);
  const first = installed.find(({ agent }) => !agent.isBuiltin) ?? installed[0];
  const status = agents.get(chosen) ?? first;
  const agent = status?.agent.name ?? '';
  const options = picked[agent] ?? {};
  const preferred = preferences.get(agent)?.options ?? {};
  return {
    agent,
    status,
    select,
    options,
    isDefault,
    setDefault,
    valueOf: option =>
      options[option.id] ?? preferred[option.id] ?? (option.id === 'mode' ? status?.agent.mode : undefined) ?? option.value,
    pick: (id, value) => setPicked(before => ({ ...before, [agent]: { ...before[agent], [id]: value } })),
    keep: async () => {
      if (isDefault && agent) await client.http.patch(`preferences/${encodeURIComponent(agent)}`, { options: { ...preferred, ...options } });
    },
  };
}

function usePreferences(): ReadonlyMap<string, Preference> {
  const { client } = useApp();
  const [found, setFound] = useState<ReadonlyMap<string, Preference>>(new Map());
  useEffect(() => {
    let isGone = false;
    // Without them the agents' own defaults are shown.
    client.http.get<Preference[]>('preferences').then(
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
  children?: React.ReactNode;
}

/** One that is not installed cannot be chosen, and says how to get it. */
export function AgentFields({ choice, label, onManage, children }: Props) {
  const shared = useShared();
  const { status } = choice;
  const options = (status?.options ?? []).filter(({ choices }) => choices.length > 0);
  const main = ['model', 'mode'].flatMap(id => options.find(option => option.id === id) ?? []);
  const others = options.filter(option => !main.includes(option));
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
            <select
              id={id}
              className="agor-select agor-grow"
              value={choice.agent}
              onChange={event => choice.select(event.target.value)}
            >
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
      {(main.length > 0 || children) && (
        <div className="agor-columns agor-columns-fit">
          {main.map(option => (
            <OptionField key={option.id} option={option} choice={choice} />
          ))}
          {children}
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
  const chosen = option.choices.find(({ id }) => id === value);
  return (
    <Field label={option.name} hint={chosen?.description ?? undefined}>
      {id => (
        <select id={id} className="agor-select" value={value} onChange={event => choice.pick(option.id, event.target.value)}>
          {!chosen && <option value={value}>{value || words.byAgent}</option>}
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
