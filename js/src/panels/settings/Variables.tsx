// Variables of the person: names only. A value goes to the server once and never comes back.
import { useRef, useState } from 'react';

import type { Variable } from '../../protocol/generated.js';
import { variables } from '../../session/requests.js';
import type { Dialog as Opened } from '../../store/types.js';
import { dialogTexts } from '../../texts';
import { ago } from '../../texts/ages.js';
import { Field } from '../common/Dialog.js';
import { visible } from '../common/safe.js';
import { useApp, useNow } from '../context.js';
import { KeptDialog, useKept } from './KeptDialog.js';

const words = dialogTexts.variables;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function VariablesDialog({ first, back }: { first: string | undefined; back: Opened | undefined }) {
  const { client, commands } = useApp();
  const [name, setName] = useState(first ?? '');
  const [value, setValue] = useState('');
  const kept = useKept<Variable>(() => variables.list(client));
  const now = useNow(60_000);
  const box = useRef<HTMLInputElement>(null);
  const set = () => {
    const wanted = name.trim();
    kept.act(async () => {
      if (!NAME.test(wanted)) throw new Error(words.badName);
      await variables.set(client, wanted, value);
      setValue('');
      setName('');
    }, words.saved(wanted));
  };
  return (
    <KeptDialog
      title={words.title}
      width={520}
      onClose={() => (back ? commands.openDialog(back.name, back) : commands.closeDialog())}
      kept={kept}
      intro={words.intro}
      empty={words.empty}
      note={words.never}
      act={words.set}
      isBlocked={!name.trim() || !value}
      onSubmit={set}
      row={one => (
        <li key={one.name} className="agor-list-row" data-variable={one.name}>
          <code className="agor-ell">{visible(one.name)}</code>
          <span className="agor-grow agor-xs agor-t3">{words.changed(ago(one.updatedAt, now))}</span>
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
            disabled={kept.isRunning}
            onClick={() => kept.act(() => variables.remove(client, one.name), words.removed(one.name))}
          >
            {words.remove}
          </button>
        </li>
      )}
      fields={
        <>
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
        </>
      }
    />
  );
}
