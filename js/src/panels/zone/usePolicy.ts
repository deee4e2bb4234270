// A zone's policy while it is being edited: what is changed is saved for everyone, a colleague's change comes in, and nothing that was typed
// is lost.
import { useEffect, useRef, useState } from 'react';

import type { ZonePolicy } from '../../protocol/generated.js';
import { zones } from '../../session/requests.js';
import { changed, type Field, merge } from '../../store/merge.js';
import { PLAIN } from '../../store/policy.js';
import { readDraft, writeDraft } from '../common/drafts.js';
import { useApp } from '../context.js';

/** A text is saved when the typing rests. */
const REST_MS = 900;

export type SaveState = 'saved' | 'waiting' | 'saving' | 'failed';

/** What was sent from here, until the document has it. */
interface Echo {
  readonly sent: ZonePolicy;
  /** There was no answer. The server may have taken it. */
  isLost: boolean;
}
const MOST_ECHOES = 20;

export interface Editing {
  readonly policy: ZonePolicy;
  readonly state: SaveState;
  readonly problem: string | null;
  /** Fields that a colleague changed while they were changed here. */
  readonly conflicts: readonly Field[];
  /** Grows with each time that the server has taken it. */
  readonly version: number;
  /** `isTyping`: it is not saved before it rests. */
  readonly set: (change: Partial<ZonePolicy>, isTyping?: boolean) => void;
  /** Saves now what is not saved. True: the server has all of it. */
  readonly flush: () => Promise<boolean>;
  readonly settle: (keepsMine: boolean) => void;
}

export function usePolicy(zoneId: string, saved: ZonePolicy | null): Editing {
  const { client } = useApp();
  const theirs = saved ?? PLAIN;
  const key = `zone ${zoneId}`;
  const [policy, setPolicy] = useState<ZonePolicy>(() => ({ ...theirs, ...kept(key) }));
  const [state, setState] = useState<SaveState>('saved');
  const [problem, setProblem] = useState<string | null>(null);
  const [conflicts, setConflicts] = useState<readonly Field[]>([]);
  const [version, setVersion] = useState(0);
  // For timers and for what was sent: ahead of what is rendered, never behind.
  const now = useRef({
    policy,
    base: theirs,
    conflicts,
    timer: undefined as ReturnType<typeof setTimeout> | undefined,
    sending: Promise.resolve(true),
    // What was sent from here comes back through the document, later than it was answered: that is nobody else's change.
    echoes: [] as Echo[],
  });
  const disagree = (fields: readonly Field[]) => {
    now.current.conflicts = fields;
    setConflicts(fields);
  };
  const keep = (next: ZonePolicy) => {
    now.current.policy = next;
    setPolicy(next);
    const mine = changed(now.current.base, tidy(next));
    writeDraft(key, mine.length ? JSON.stringify(Object.fromEntries(mine.map(name => [name, next[name]]))) : '');
  };

  useEffect(() => {
    const { base, policy: mine } = now.current;
    const at = now.current.echoes.findIndex(({ sent }) => !changed(sent, theirs).length);
    if (at >= 0) {
      const echo = now.current.echoes.splice(0, at + 1).at(-1);
      // What only its answer was lost of is there after all, unless something later is on its way.
      if (!echo?.isLost || now.current.echoes.length) return;
      now.current.base = theirs;
    }
    if (at < 0 && !changed(base, theirs).length) return;
    const merged = merge(now.current.base, tidy(mine), theirs);
    now.current.base = theirs;
    keep(changed(merged.policy, tidy(mine)).length ? merged.policy : mine);
    if (merged.conflicts.length) {
      clearTimeout(now.current.timer);
      disagree(merged.conflicts);
    } else if (!changed(theirs, tidy(now.current.policy)).length) {
      // It was saved, and only its answer was lost; or a colleague chose the same.
      disagree([]);
      setProblem(null);
      setState('saved');
    }
  }, [JSON.stringify(theirs)]);

  const send = async (): Promise<boolean> => {
    const { base, conflicts: open } = now.current;
    const sent = tidy(now.current.policy);
    if (open.length) return false;
    if (!changed(base, sent).length) {
      setState('saved');
      return true;
    }
    setState('saving');
    const echo: Echo = { sent, isLost: false };
    now.current.echoes = [...now.current.echoes.slice(-MOST_ECHOES), echo];
    try {
      await zones.change(client, zoneId, { policy: sent });
      now.current.base = sent;
      keep(now.current.policy);
      setProblem(null);
      setVersion(count => count + 1);
      const isMore = changed(sent, tidy(now.current.policy)).length > 0;
      setState(isMore ? 'waiting' : 'saved');
      if (isMore) wait(REST_MS);
      return true;
    } catch (error) {
      echo.isLost = true;
      setProblem(error instanceof Error ? error.message : String(error));
      setState('failed');
      return false;
    }
  };
  const flush = (): Promise<boolean> => {
    clearTimeout(now.current.timer);
    // One after the other, or the earlier one could end later.
    now.current.sending = now.current.sending.then(send);
    return now.current.sending;
  };
  const last = useRef(flush);
  last.current = flush;
  /** Saves when nothing is changed for so long. */
  function wait(ms: number): void {
    clearTimeout(now.current.timer);
    now.current.timer = setTimeout(() => void last.current(), ms);
  }
  useEffect(() => () => void last.current(), []);

  return {
    policy,
    state,
    problem,
    conflicts,
    version,
    set: (change, isTyping = false) => {
      keep({ ...now.current.policy, ...change });
      setState('waiting');
      wait(isTyping ? REST_MS : 0);
    },
    flush,
    settle: keepsMine => {
      const { base, policy: mine, conflicts: open } = now.current;
      if (!keepsMine) keep({ ...mine, ...Object.fromEntries(open.map(name => [name, base[name]])) });
      disagree([]);
      void flush();
    },
  };
}

/** A gate that nothing was written in yet is none. */
const tidy = (policy: ZonePolicy): ZonePolicy => ({ ...policy, gates: policy.gates.filter(({ run }) => run.trim() !== '') });

/** What was not saved when the dialog was closed. */
function kept(key: string): Partial<ZonePolicy> {
  try {
    const found: unknown = JSON.parse(readDraft(key) || '{}');
    return typeof found === 'object' && found !== null ? Object.fromEntries(Object.entries(found).filter(([name]) => name in PLAIN)) : {};
  } catch {
    return {};
  }
}
