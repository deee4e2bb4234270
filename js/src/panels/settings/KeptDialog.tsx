// A dialog of things that are kept for a person, by name: the list of them, and one line of fields that makes another.
import { type FormEvent, type ReactNode, useCallback, useEffect, useRef, useState } from 'react';

import { Dialog } from '../common/Dialog.js';
import { Icon } from '../common/Icon.js';
import { Problem } from '../common/Problem.js';
import { useCommand } from '../context.js';

export interface Kept<T> {
  /** `null`: not read yet. */
  readonly list: readonly T[] | null;
  readonly isRunning: boolean;
  readonly problem: string | null;
  /** What was done last, for a screen reader. */
  readonly said: string;
  /** Does it, reads the list again, and says what was done. */
  readonly act: (job: () => Promise<unknown>, said?: string) => void;
}

export function useKept<T>(read: () => Promise<readonly T[]>): Kept<T> {
  const [list, setList] = useState<readonly T[] | null>(null);
  const [said, setSaid] = useState('');
  const { run, isRunning, problem } = useCommand();
  const reads = useRef(read);
  reads.current = read;
  const runs = useRef(run);
  runs.current = run;
  const load = useCallback(async () => setList(await reads.current()), []);
  useEffect(() => void runs.current(load), [load]);
  const act = (job: () => Promise<unknown>, done = '') =>
    void run(async () => {
      await job();
      if (done) setSaid(done);
      await load();
    });
  return { list, isRunning, problem, said, act };
}

interface Props<T> {
  title: string;
  width: number;
  onClose: () => void;
  kept: Kept<T>;
  intro: string;
  empty: string;
  /** Above the list. */
  children?: ReactNode;
  /** A line of the list. */
  row: (one: T) => ReactNode;
  /** What makes another. */
  fields: ReactNode;
  note: string;
  act: string;
  isBlocked: boolean;
  onSubmit: () => void;
}

export function KeptDialog<T>({ title, width, onClose, kept, intro, empty, children, row, fields, note, act, isBlocked, onSubmit }: Props<T>) {
  const { list, isRunning, problem, said } = kept;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <Dialog title={title} onClose={onClose} width={width}>
      <p className="agor-t2">{intro}</p>
      {children}
      {list && !list.length && <p className="agor-advice">{empty}</p>}
      {list && list.length > 0 && <ul className="agor-plain-list">{list.map(row)}</ul>}
      <form onSubmit={submit} autoComplete="off">
        <div className="agor-columns">{fields}</div>
        <div className="agor-row">
          <Icon name="lock" size={14} />
          <span className="agor-grow agor-t3">{note}</span>
          <button type="submit" className="agor-btn agor-primary" disabled={isRunning || isBlocked}>
            {act}
          </button>
        </div>
      </form>
      <p className="agor-spoken" role="status">
        {said}
      </p>
      <Problem text={problem} />
    </Dialog>
  );
}
