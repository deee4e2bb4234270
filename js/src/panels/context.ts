// What every panel may use: the board's client, this view, and the commands.
import { createContext, useContext, useEffect, useState, useSyncExternalStore } from 'react';

import type { BoardState } from '../store/types.js';
import type { BoardClient, ClientState } from './client.js';
import type { PanelCommands } from './commands.js';
import type { ViewState, ViewStore } from './view.js';

export interface AppContext {
  readonly client: BoardClient;
  readonly view: ViewStore;
  readonly commands: PanelCommands;
  readonly openInTab: ((path: string) => void) | null;
}

export const Context = createContext<AppContext | null>(null);

export function useApp(): AppContext {
  const context = useContext(Context);
  if (!context) throw new Error('A panel stands outside of App.');
  return context;
}

export function useClient(): ClientState {
  const { client } = useApp();
  return useSyncExternalStore(client.subscribe, client.getState);
}
export const useShared = (): BoardState => useClient().shared;

export function useView(): ViewState {
  const { view } = useApp();
  return useSyncExternalStore(view.subscribe, view.getState);
}

/** The time, anew every `everyMs` while something shows it. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** Runs a command and keeps what went wrong, for the place where the person acted. */
export function useCommand(): {
  run: (job: () => Promise<unknown>) => Promise<boolean>;
  isRunning: boolean;
  problem: string | null;
  clear: () => void;
} {
  const [isRunning, setRunning] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const run = async (job: () => Promise<unknown>): Promise<boolean> => {
    setRunning(true);
    setProblem(null);
    try {
      await job();
      return true;
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      return false;
    } finally {
      setRunning(false);
    }
  };
  return { run, isRunning, problem, clear: () => setProblem(null) };
}

export function agentLabel(shared: BoardState, name: string): string {
  return shared.agents.get(name)?.agent.label ?? name;
}
export function agentIcon(shared: BoardState, name: string): string | undefined {
  return shared.agents.get(name)?.agent.icon;
}
export function canSteer(shared: BoardState): boolean {
  return shared.me !== null && shared.me.role !== 'viewer';
}
