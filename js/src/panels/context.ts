// What every panel may use: the board's client, this view, and the commands.
import { createContext, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import type { BoardClient, ClientState } from '../session/client.js';
import type { PanelCommands } from '../session/commands.js';
import type { ViewState, ViewStore } from '../session/view.js';
import type { BoardState } from '../store/types.js';

export interface AppContext {
  readonly client: BoardClient;
  readonly view: ViewStore;
  readonly commands: PanelCommands;
  readonly openInTab: ((path: string) => void) | null;
  /** A terminal of the host with this command in it. `null`: the host has none. */
  readonly openTerminal: ((command: readonly string[]) => void) | null;
  /** A new notebook of the host, in this folder and on this kernel. `null`: the host has none. */
  readonly openNotebook: ((notebook: { readonly kernel: string; readonly folder: string }) => Promise<void>) | null;
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

interface Ticker {
  readonly listeners: Set<() => void>;
  readonly timer: ReturnType<typeof setInterval>;
}
const tickers = new Map<number, Ticker>();

/** One timer for all that show the time in the same steps, while something does. */
function onTick(everyMs: number, listener: () => void): () => void {
  let ticker = tickers.get(everyMs);
  if (!ticker) {
    const made: Ticker = {
      listeners: new Set(),
      timer: setInterval(() => {
        for (const one of made.listeners) one();
      }, everyMs),
    };
    tickers.set(everyMs, made);
    ticker = made;
  }
  const mine = ticker;
  mine.listeners.add(listener);
  return () => {
    mine.listeners.delete(listener);
    if (mine.listeners.size) return;
    clearInterval(mine.timer);
    tickers.delete(everyMs);
  };
}

/** The time, anew every `everyMs` while something shows it. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => onTick(everyMs, () => setNow(Date.now())), [everyMs]);
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
