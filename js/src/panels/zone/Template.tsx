// Where a prompt with names is written: names are completed inside the box, and it is coloured as it is read.
import { type KeyboardEvent, useId, useLayoutEffect, useMemo, useRef, useState } from 'react';

import { TEMPLATE_NAMES } from '../../protocol/generated.js';
import { type Completion, complete, insert, type Named, pieces } from '../../store/template.js';
import { dialogTexts } from '../../texts';
import { visible } from '../common/safe.js';

const words = dialogTexts.zone.dialog;

/** Names of this card's own context, which only the card knows. */
export function namesWith(context: Readonly<Record<string, unknown>> | undefined): readonly Named[] {
  const own = Object.keys(context ?? {}).filter(key => /^\w+$/.test(key));
  return [...TEMPLATE_NAMES, ...own.map(key => ({ name: `worktree.context.${key}`, kind: typeof context?.[key] === 'number' ? 'number' : 'text' }))];
}

interface Props {
  id: string;
  value: string;
  names: readonly Named[];
  isReadOnly: boolean;
  hasProblem: boolean;
  describedBy?: string | undefined;
  onChange: (text: string) => void;
  onLeave: () => void;
}

export function Template({ id, value, names, isReadOnly, hasProblem, describedBy, onChange, onLeave }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const caret = useRef<number | null>(null);
  const list = useId();
  const [found, setFound] = useState<Completion | null>(null);
  const [chosen, setChosen] = useState(0);
  const shown = useMemo(() => pieces(value), [value]);
  useLayoutEffect(() => {
    if (caret.current === null) return;
    field.current?.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  }, [value]);
  const look = (text: string, at: number) => {
    setFound(isReadOnly ? null : complete(text, at, names));
    setChosen(0);
  };
  const take = (name: string | undefined) => {
    if (!found || name === undefined) return;
    const next = insert(value, found, name);
    caret.current = next.caret;
    setFound(null);
    onChange(next.text);
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!found) return;
    const { names: offered } = found;
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step) setChosen((chosen + step + offered.length) % offered.length);
    else if ((event.key === 'Enter' && !event.ctrlKey && !event.metaKey) || event.key === 'Tab') take(offered[chosen]?.name);
    else if (event.key === 'Escape') setFound(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="agor-template" data-bad={hasProblem || undefined}>
      <div className="agor-template-text">
        <pre aria-hidden="true">
          {shown.map((piece, index) =>
            piece.kind === 'text' ? (
              piece.text
            ) : (
              <mark key={index} className={`agor-template-${piece.kind}`}>
                {piece.text}
              </mark>
            ),
          )}
          {'\n'}
        </pre>
        {/* biome-ignore lint/a11y/useAriaPropsSupportedByRole: a text field that completes is a combobox in all but its lines */}
        <textarea
          ref={field}
          id={id}
          data-autofocus
          value={value}
          readOnly={isReadOnly}
          spellCheck={false}
          placeholder={words.promptPlaceholder}
          aria-autocomplete="list"
          aria-expanded={found !== null}
          aria-controls={found ? list : undefined}
          aria-activedescendant={found ? `${list}-${chosen}` : undefined}
          aria-invalid={hasProblem || undefined}
          aria-describedby={describedBy}
          onChange={event => {
            onChange(event.target.value);
            look(event.target.value, event.target.selectionStart);
          }}
          onSelect={event => {
            if (found && event.currentTarget.selectionStart !== found.to) setFound(null);
          }}
          onKeyDown={onKeyDown}
          onBlur={() => {
            setFound(null);
            onLeave();
          }}
        />
      </div>
      {found && (
        <div id={list} role="listbox" aria-label={words.complete} className="agor-template-names">
          {found.names.map(({ name, kind }, index) => (
            // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the field, aria-activedescendant points here
            // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field
            <div
              key={name}
              id={`${list}-${index}`}
              role="option"
              aria-selected={index === chosen}
              // The field keeps the focus.
              onPointerDown={event => event.preventDefault()}
              onClick={() => take(name)}
            >
              <code>
                <Marked name={name} word={value.slice(found.from, found.to)} />
              </code>
              <span className="agor-grow" />
              <span className="agor-t3">{words.kinds[kind] ?? kind}</span>
            </div>
          ))}
        </div>
      )}
    </div>
  );
}

/** What was typed of it stands out. */
function Marked({ name, word }: { name: string; word: string }) {
  const at = word ? name.toLowerCase().indexOf(word.toLowerCase()) : -1;
  if (at < 0) return <>{visible(name)}</>;
  return (
    <>
      {visible(name.slice(0, at))}
      <b>{visible(name.slice(at, at + word.length))}</b>
      {visible(name.slice(at + word.length))}
    </>
  );
}
