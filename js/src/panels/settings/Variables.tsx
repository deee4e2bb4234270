// Variables of the person: names only. A value goes to the server once and never comes back.
import { type FormEvent, useCallback, useEffect, useRef, useState } from 'react';

import type { Variable } from '../../protocol/generated.js';
import { variables } from '../../session/requests.js';
import type { Dialog as Opened } from '../../store/types.js';
import { dialogTexts } from '../../texts.js';
import { Dialog, Field, Problem } from '../common/Dialog.js';
import { Icon } from '../common/Icon.js';
import { visible } from '../common/safe.js';
import { age } from '../common/words.js';
import { useApp, useCommand, useNow } from '../context.js';

const words = dialogTexts.variables;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function VariablesDialog({ first, back }: { first: string | undefined; back: Opened | undefined }) {
  const { client, commands } = useApp();
  const [list, setList] = useState<readonly Variable[] | null>(null);
  const [name, setName] = useState(first ?? '');
  const [value, setValue] = useState('');
  const [said, setSaid] = useState('');
  const { run, isRunning, problem } = useCommand();
  const now = useNow(60_000);
  const box = useRef<HTMLInputElement>(null);
  const runs = useRef(run);
  runs.current = run;
  const load = useCallback(async () => setList(await variables.list(client)), [client]);
  useEffect(() => void runs.current(load), [load]);

  const close = () => (back ? commands.openDialog(back.name, back) : commands.closeDialog());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const wanted = name.trim();
    void run(async () => {
      if (!NAME.test(wanted)) throw new Error(words.badName);
      await variables.set(client, wanted, value);
      setValue('');
      setName('');
      setSaid(words.saved(wanted));
      await load();
    });
  };
  const remove = (one: string) =>
    void run(async () => {
      await variables.remove(client, one);
      setSaid(words.removed(one));
      await load();
    });
  return (
    <Dialog title={words.title} onClose={close} width={520}>
      <p className="agor-t2">{words.intro}</p>
      {list && !list.length && <p className="agor-advice">{words.empty}</p>}
      {list && list.length > 0 && (
        <ul className="agor-plain-list">
          {list.map(one => (
            <li key={one.name} className="agor-list-row" data-variable={one.name}>
              <code className="agor-ell">{visible(one.name)}</code>
              <span className="agor-grow agor-xs agor-t3">{words.changed(age(one.updatedAt, now))}</span>
              <button
                type="button"
                className="agor-btn agor-sm agor-ghost"
                aria-label={words.replaceOf(one.name)}
                onClick={() => {
                  setName(one.name);
                  box.current?.focus();
                }}
              >
                {words.replace}
              </button>
              <button
                type="button"
                className="agor-btn agor-sm agor-ghost"
                aria-label={words.removeOf(one.name)}
                disabled={isRunning}
                onClick={() => remove(one.name)}
              >
                {words.remove}
              </button>
            </li>
          ))}
        </ul>
      )}
      <form onSubmit={submit} autoComplete="off">
        <div className="agor-columns">
          <Field label={words.name}>
            {id => (
              <input
                id={id}
                className="agor-input agor-mono"
                value={name}
                data-autofocus={first ? undefined : true}
                autoComplete="off"
                spellCheck={false}
                maxLength={200}
                onChange={event => setName(event.target.value)}
              />
            )}
          </Field>
          <Field label={words.value}>
            {id => (
              <input
                id={id}
                ref={box}
                className="agor-input agor-mono"
                type="password"
                data-autofocus={first ? true : undefined}
                autoComplete="new-password"
                value={value}
                onChange={event => setValue(event.target.value)}
              />
            )}
          </Field>
        </div>
        <div className="agor-row">
          <Icon name="lock" size={14} />
          <span className="agor-grow agor-t3">{words.never}</span>
          <button type="submit" className="agor-btn agor-primary" disabled={isRunning || !name.trim() || !value}>
            {words.set}
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
