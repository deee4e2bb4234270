// Personal tokens: what connects an MCP client of the person's own with this board. A secret is shown once, after it was made.
import { type FormEvent, useCallback, useEffect, useRef, useState } from 'react';

import type { Token, TokenMade } from '../../protocol/generated.js';
import { tokens } from '../../session/requests.js';
import { dialogTexts } from '../../texts.js';
import { Dialog, Field, Problem } from '../common/Dialog.js';
import { Icon } from '../common/Icon.js';
import { visible } from '../common/safe.js';
import { age } from '../common/words.js';
import { useApp, useCommand, useNow, useShared } from '../context.js';

const words = dialogTexts.tokens;
const DAYS = [7, 30, 90, 365, 0];

export function TokensDialog() {
  const { client, commands } = useApp();
  const { me } = useShared();
  const [list, setList] = useState<readonly Token[] | null>(null);
  const [name, setName] = useState('');
  const [days, setDays] = useState(90);
  const [made, setMade] = useState<TokenMade | null>(null);
  const [said, setSaid] = useState('');
  const { run, isRunning, problem } = useCommand();
  const now = useNow(60_000);
  const runs = useRef(run);
  runs.current = run;
  const load = useCallback(async () => setList(await tokens.list(client)), [client]);
  useEffect(() => void runs.current(load), [load]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(async () => {
      setMade(await tokens.make(client, name.trim(), days));
      setName('');
      await load();
    });
  };
  const revoke = (token: Token) =>
    void run(async () => {
      await tokens.revoke(client, token.id);
      if (made?.token.id === token.id) setMade(null);
      setSaid(words.revoked(token.name));
      await load();
    });
  const about = (one: Token): string =>
    [
      one.person.username === me?.person.username ? '' : one.person.name,
      one.board === client.path ? '' : one.board,
      one.usedAt ? words.used(age(one.usedAt, now)) : words.unused,
      one.expiresAt ? words.until(one.expiresAt.slice(0, 10)) : '',
    ]
      .filter(Boolean)
      .join(', ');
  return (
    <Dialog title={words.title} onClose={() => commands.closeDialog()} width={600}>
      <p className="agor-t2">{words.intro}</p>
      {made && <Secret made={made} />}
      {list && !list.length && <p className="agor-advice">{words.empty}</p>}
      {list && list.length > 0 && (
        <ul className="agor-plain-list">
          {list.map(one => (
            <li key={one.id} className="agor-list-row" data-token={one.id}>
              <span className="agor-token-name agor-ell">{visible(one.name)}</span>
              <span className="agor-grow agor-xs agor-t3 agor-ell">{visible(about(one))}</span>
              <button
                type="button"
                className="agor-btn agor-sm agor-ghost"
                aria-label={words.revokeOf(visible(one.name))}
                disabled={isRunning}
                onClick={() => revoke(one)}
              >
                {words.revoke}
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
        </div>
        <div className="agor-row">
          <Icon name="lock" size={14} />
          <span className="agor-grow agor-t3">{words.limits}</span>
          <button type="submit" className="agor-btn agor-primary" disabled={isRunning || !name.trim()}>
            {words.create}
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

/** What was made just now: the secret, and how clients take it. */
function Secret({ made }: { made: TokenMade }) {
  const rows = [
    { label: words.secret, line: made.secret },
    { label: words.url, line: made.url },
    ...made.lines.map(one => ({ label: one.label, line: one.line })),
  ];
  return (
    <section className="agor-secret" aria-label={words.madeOf(visible(made.token.name))}>
      <p>{words.once}</p>
      <dl>
        {rows.map(({ label, line }) => (
          <div key={label} className="agor-row">
            <dt className="agor-xs agor-t2">{label}</dt>
            <dd className="agor-grow agor-mono agor-xs agor-ell" title={line}>
              {line}
            </dd>
            <Copy label={label} text={line} />
          </div>
        ))}
      </dl>
    </section>
  );
}

function Copy({ label, text }: { label: string; text: string }) {
  const [isDone, setDone] = useState(false);
  const copy = () =>
    void navigator.clipboard.writeText(text).then(
      () => setDone(true),
      () => setDone(false),
    );
  return (
    <button type="button" className="agor-btn agor-sm agor-ghost" aria-label={words.copyOf(label)} onClick={copy}>
      {isDone ? words.copied : words.copy}
    </button>
  );
}
