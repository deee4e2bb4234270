// Personal tokens: what connects an MCP client of the person's own with this board. A secret is shown once, after it was made.
import { useState } from 'react';

import type { Token, TokenMade } from '../../protocol/generated.js';
import { tokens } from '../../session/requests.js';
import { dialogTexts } from '../../texts';
import { ago, day } from '../../texts/ages.js';
import { Field } from '../common/Dialog.js';
import { Secret } from '../common/Secret.js';
import { visible } from '../common/safe.js';
import { useApp, useNow, useShared } from '../context.js';
import { KeptDialog, useKept } from './KeptDialog.js';

const words = dialogTexts.tokens;
const DAYS = [7, 30, 90, 365, 0];

export function TokensDialog() {
  const { client, commands } = useApp();
  const { me } = useShared();
  const [name, setName] = useState('');
  const [days, setDays] = useState(90);
  const [made, setMade] = useState<TokenMade | null>(null);
  const kept = useKept<Token>(() => tokens.list(client));
  const now = useNow(60_000);
  const make = () =>
    kept.act(async () => {
      setMade(await tokens.make(client, name.trim(), days));
      setName('');
    });
  const revoke = (token: Token) =>
    kept.act(async () => {
      await tokens.revoke(client, token.id);
      if (made?.token.id === token.id) setMade(null);
    }, words.revoked(token.name));
  const about = (one: Token): string =>
    [
      one.person.username === me?.person.username ? '' : one.person.name,
      one.board === client.path ? '' : one.board,
      one.usedAt ? words.used(ago(one.usedAt, now)) : words.unused,
      one.expiresAt ? words.until(day(one.expiresAt)) : '',
    ]
      .filter(Boolean)
      .join(', ');
  return (
    <KeptDialog
      title={words.title}
      width={600}
      onClose={() => commands.closeDialog()}
      kept={kept}
      intro={words.intro}
      empty={words.empty}
      note={words.limits}
      act={words.create}
      isBlocked={!name.trim()}
      onSubmit={make}
      row={one => (
        <li key={one.id} className="agor-list-row" data-token={one.id}>
          <span className="agor-token-name agor-ell">{visible(one.name)}</span>
          <span className="agor-grow agor-xs agor-t3 agor-ell">{visible(about(one))}</span>
          <button
            type="button"
            className="agor-btn agor-sm agor-ghost"
            aria-label={words.revokeOf(visible(one.name))}
            disabled={kept.isRunning}
            onClick={() => revoke(one)}
          >
            {words.revoke}
          </button>
        </li>
      )}
      fields={
        <>
          <Field label={words.name}>
            {id => (
              <input
                id={id}
                className="agor-input"
                value={name}
                placeholder={words.example}
                data-autofocus
                maxLength={100}
                onChange={event => setName(event.target.value)}
              />
            )}
          </Field>
          <Field label={words.ends}>
            {id => (
              <select id={id} className="agor-input" value={days} onChange={event => setDays(Number(event.target.value))}>
                {DAYS.map(one => (
                  <option key={one} value={one}>
                    {words.days(one)}
                  </option>
                ))}
              </select>
            )}
          </Field>
        </>
      }
    >
      {made && <Secret label={words.madeOf(visible(made.token.name))} rows={rowsOf(made)} />}
    </KeptDialog>
  );
}

/** The secret, and how clients take it. */
const rowsOf = (made: TokenMade) => [
  { label: words.secret, line: made.secret },
  { label: words.url, line: made.url },
  ...made.lines.map(one => ({ label: one.label, line: one.line })),
];
