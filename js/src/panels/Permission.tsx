// The question an agent asks before it acts: the real command, and one key per answer.
import { type KeyboardEvent, memo, useEffect, useRef } from 'react';

import type { Permission, PermissionOption } from '../protocol/generated.js';
import { texts } from '../texts.js';
import { agentLabel, useApp, useCommand, useNow, useShared } from './context.js';
import { Problem } from './Dialog.js';
import { Icon, Mark } from './Icon.js';
import { visible } from './safe.js';
import { age, clock } from './words.js';

const ORDER: PermissionOption['kind'][] = ['allow_once', 'allow_always', 'reject_once', 'reject_always'];
export const ordered = (options: readonly PermissionOption[]): PermissionOption[] =>
  [...options].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));

/** Our words for the four kinds; an option that shares its kind with another keeps the agent's words. */
export function optionLabel(option: PermissionOption, all: readonly PermissionOption[]): string {
  return all.filter(other => other.kind === option.kind).length > 1 ? visible(option.name) : texts.permission.options[option.kind];
}

/** The agent's own words, where they say more than the command. */
function hasReason({ command, title }: Permission): boolean {
  return command !== null && title !== '' && !command.startsWith(title.replace(/\s*(…|\.\.\.)$/, ''));
}

export function PermissionBlock({ permission, takesFocus }: { permission: Permission; takesFocus: boolean }) {
  const shared = useShared();
  const { commands } = useApp();
  const { run, isRunning, problem } = useCommand();
  const now = useNow(15_000);
  const ref = useRef<HTMLElement>(null);
  const options = ordered(permission.options);
  const agent = agentLabel(shared, shared.sessions.get(permission.sessionId)?.agent ?? '');
  const mayAnswer = shared.me?.role === 'owner';

  useEffect(() => {
    if (takesFocus) ref.current?.querySelector('button')?.focus({ preventScroll: true });
  }, [permission.id, takesFocus]);

  const answer = (option: PermissionOption) => void run(() => commands.answer(permission.id, option.id));
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isRunning || !mayAnswer) return;
    const option = options[Number(event.key) - 1];
    if (!option) return;
    event.preventDefault();
    event.stopPropagation();
    answer(option);
  };
  const title = texts.permission.asks(agent, permission.toolKind);
  return (
    <section
      ref={ref}
      className="agor-permission"
      role="alertdialog"
      aria-label={title}
      onKeyDown={onKeyDown}
      data-permission={permission.id}
    >
      <div className="agor-permission-head">
        <Mark state="needs_you" />
        <span className="agor-grow">{title}</span>
        <span className="agor-xs agor-t3">{age(permission.askedAt, now)}</span>
      </div>
      <pre tabIndex={0}>{visible(permission.command ?? permission.title)}</pre>
      {hasReason(permission) && <p className="agor-permission-why">{visible(permission.title)}</p>}
      {mayAnswer ? (
        <div className="agor-row agor-wrap">
          {options.map((option, index) => (
            <button
              key={option.id}
              type="button"
              className={`agor-btn${index === 0 && option.kind.startsWith('allow') ? ' agor-need' : ''}`}
              disabled={isRunning}
              onClick={() => answer(option)}
              aria-keyshortcuts={String(index + 1)}
              title={option.name}
            >
              {optionLabel(option, options)}
              <kbd className="agor-kbd">{index + 1}</kbd>
            </button>
          ))}
        </div>
      ) : (
        <p className="agor-permission-why">{texts.permission.notAllowed}</p>
      )}
      <Problem text={problem} />
    </section>
  );
}

/** How a question ended stays in the transcript, with a name. */
export const Settled = memo(function Settled({ permission }: { permission: Permission }) {
  const what = permission.command ?? permission.title;
  const option = permission.options.find(({ id }) => id === permission.optionId);
  if (permission.state === 'open') return null;
  const isAllowed = permission.state === 'allowed';
  return (
    <div className="agor-fold agor-settled">
      <span className={`agor-mark agor-tone-${isAllowed ? 'done' : 'rest'}`}>
        <Icon name={isAllowed ? 'st-done' : 'st-cancelled'} size={14} />
      </span>
      <span className="agor-ell">
        {permission.answeredBy ? (
          <>
            <b>{permission.answeredBy.name}</b> {isAllowed ? texts.permission.allowed : texts.permission.rejected}{' '}
            <code>{visible(what)}</code>{' '}
            {option?.kind.endsWith('_always') ? texts.permission.always : isAllowed ? texts.permission.once : ''}
          </>
        ) : (
          <>
            {texts.permission.ended[permission.state]} <code>{visible(what)}</code>
          </>
        )}
      </span>
      <span className="agor-grow" />
      <span className="agor-xs">{clock(permission.answeredAt ?? permission.askedAt)}</span>
    </div>
  );
});
