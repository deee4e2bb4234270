// The prompt of a zone while it is written: what is wrong with it, and how it reads for a real card, before anyone else has it.
import { useEffect, useId, useMemo, useState } from 'react';

import type { Worktree, ZonePolicy, ZonePreview } from '../../protocol/generated.js';
import { zones as requests } from '../../session/requests.js';
import { unknownName } from '../../store/template.js';
import { dialogTexts } from '../../texts';
import { Field } from '../common/Dialog.js';
import { visible } from '../common/safe.js';
import { useApp } from '../context.js';
import { namesWith, Template } from './Template.js';
import type { Editing } from './usePolicy.js';

const words = dialogTexts.zone.dialog;
/** Asked again when the typing rests. */
const REST_MS = 250;

export interface Previewed {
  readonly found: ZonePreview | null;
  /** It is not of what is written now. */
  readonly isOld: boolean;
}

/** As the server would render what is written here for this card, saved or not. Who may not change it sees what is saved. */
export function usePreview(zoneId: string, policy: ZonePolicy, mayEdit: boolean, worktreeId: string | undefined): Previewed {
  const { client } = useApp();
  const [found, setFound] = useState<ZonePreview | null>(null);
  const [of, setOf] = useState('');
  const asked = `${worktreeId} ${JSON.stringify(policy)}`;
  useEffect(() => {
    if (!worktreeId) return;
    let isGone = false;
    const ask = () =>
      requests.preview(client, worktreeId, zoneId, mayEdit ? policy : null).then(
        preview => {
          if (isGone) return;
          setFound(preview);
          setOf(asked);
        },
        // What is shown stays; a change that cannot be saved says why.
        () => undefined,
      );
    const timer = setTimeout(() => void ask(), found ? REST_MS : 0);
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [client, zoneId, mayEdit, asked]);
  return { found, isOld: of !== asked };
}

interface PromptProps {
  editing: Editing;
  preview: Previewed;
  mayEdit: boolean;
  card: Worktree | undefined;
  runsBlocks: boolean;
}

export function Prompt({ editing, preview: { found, isOld }, mayEdit, card, runsBlocks }: PromptProps) {
  const { policy, set, flush } = editing;
  const names = useMemo(() => namesWith(card?.context), [card?.context]);
  const unknown = unknownName(policy.prompt, names);
  const advice = useId();
  // What the server said of an earlier text is no news of this one.
  const problem = isOld ? null : (found?.problem ?? null);
  const isBad = unknown !== null || problem !== null;
  const line = unknown ? policy.prompt.slice(0, unknown.from).split('\n').length : (found?.problemLine ?? null);
  const fix = () => {
    if (!unknown?.nearest) return;
    set({ prompt: policy.prompt.slice(0, unknown.from) + unknown.nearest + policy.prompt.slice(unknown.to) });
  };
  return (
    <Field label={words.prompt}>
      {id => (
        <>
          <Template
            id={id}
            value={policy.prompt}
            names={names}
            isReadOnly={!mayEdit}
            hasProblem={isBad}
            describedBy={advice}
            onChange={prompt => set({ prompt }, true)}
            onLeave={() => void flush()}
          />
          <span id={advice} className={isBad ? 'agor-problem' : 'agor-advice'} role={isBad ? 'alert' : undefined}>
            {isBad ? (
              <>
                {line !== null && words.line(line)}
                {unknown && !problem ? words.unknown(policy.prompt.slice(unknown.from, unknown.to)) : `${visible(problem ?? '')} `}
                {unknown?.nearest && (
                  <button type="button" className="agor-link agor-fix" onClick={fix}>
                    {words.instead(unknown.nearest)}
                  </button>
                )}
              </>
            ) : runsBlocks && policy.prompt.trim() ? (
              words.blocks
            ) : (
              words.promptHint
            )}
          </span>
        </>
      )}
    </Field>
  );
}

interface PreviewProps {
  preview: Previewed;
  cards: readonly Worktree[];
  card: Worktree | undefined;
  onPick: (worktreeId: string) => void;
}

export function Preview({ preview: { found, isOld }, cards, card, onPick }: PreviewProps) {
  if (!card) return <p className="agor-advice">{words.noCards}</p>;
  return (
    <Field label={words.previewWith}>
      {id => (
        <>
          <select id={id} className="agor-select" value={card.id} onChange={event => onPick(event.target.value)}>
            {cards.map(one => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </select>
          {found?.problem ? null : (
            <pre className="agor-preview" data-old={isOld || undefined}>
              {visible(found?.prompt ?? '') || (found ? words.previewEmpty : words.previewing)}
            </pre>
          )}
          {found?.text && <span className="agor-advice">{visible(found.text)}</span>}
        </>
      )}
    </Field>
  );
}
