// Allow the like from now on: where, how long, and exactly what. A yes makes a rule, which can be revoked.
import { type FormEvent, useState } from 'react';

import type { Permission, Remember, Rule } from '../../protocol/generated.js';
import { dialogTexts } from '../../texts';
import { Field } from '../common/Dialog.js';
import { Icon } from '../common/Icon.js';
import { useInView } from '../common/Menu.js';
import { visible } from '../common/safe.js';
import { useFocusTrap } from '../common/trap.js';
import { capital } from '../common/words.js';
import { useShared } from '../context.js';
import { begins, proposed, shown, words } from './prefix.js';

/** What is allowed, in words. */
export function whatOf(kind: string | null, prefix: readonly string[] | null): string {
  if (prefix) return dialogTexts.permission.commands(visible(shown(prefix)));
  return dialogTexts.permission.kinds[kind ?? ''] ?? dialogTexts.permission.kind(kind ?? '');
}

/** The rule that one key makes: in this session, for the like of this. */
export function simple({ ruleWords }: Permission): Remember {
  return ruleWords === null ? { scope: 'session' } : { scope: 'session', commandPrefix: proposed(ruleWords) };
}

export function RememberMenu(props: { permission: Permission; isDisabled: boolean; onAnswer: (remember: Remember) => void }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <span className="agor-menu-place">
      <button
        type="button"
        className="agor-btn agor-beside"
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        aria-label={dialogTexts.permission.rememberMore}
        title={dialogTexts.permission.rememberMore}
        disabled={props.isDisabled}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="down" size={12} />
      </button>
      {isOpen && <RememberForm {...props} onClose={() => setOpen(false)} />}
    </span>
  );
}

interface FormProps {
  permission: Permission;
  isDisabled: boolean;
  onAnswer: (remember: Remember) => void;
  onClose: () => void;
}

function RememberForm({ permission, isDisabled, onAnswer, onClose }: FormProps) {
  const shared = useShared();
  const trap = useFocusTrap(onClose, true);
  useInView(trap.ref);
  const { ruleWords, ruleKind } = permission;
  const [scope, setScope] = useState<Rule['scope']>('session');
  const [text, setText] = useState(() => shown(proposed(ruleWords ?? [])));
  const [seconds, setSeconds] = useState('');
  const prefix = words(text) ?? [];
  const worktree = shared.worktrees.get(permission.worktreeId);
  const scopes = (['session', 'worktree', 'zone', 'repository'] as const).filter(one => one !== 'zone' || worktree?.zoneId);
  const isRight = ruleWords === null || begins(ruleWords, prefix);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isRight) return;
    onAnswer({
      scope,
      ...(ruleWords === null ? {} : { commandPrefix: prefix }),
      ...(seconds ? { expiresInS: Number(seconds) } : {}),
    });
    onClose();
  };
  return (
    <div
      ref={trap.ref}
      className="agor-popover agor-drop agor-remember"
      role="dialog"
      aria-label={dialogTexts.permission.rememberMore}
      onKeyDown={event => {
        trap.onKeyDown(event);
        // The keys of the question are not meant in here.
        event.stopPropagation();
      }}
    >
      <form onSubmit={submit}>
        <div className="agor-columns">
          <Field label={dialogTexts.permission.forWhat}>
            {id => (
              <select id={id} className="agor-select" value={scope} onChange={event => setScope(event.target.value as Rule['scope'])}>
                {scopes.map(one => (
                  <option key={one} value={one}>
                    {capital(dialogTexts.permission.scopes[one])}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field label={dialogTexts.permission.howLong}>
            {id => (
              <select id={id} className="agor-select" value={seconds} onChange={event => setSeconds(event.target.value)}>
                {dialogTexts.permission.times.map(([value, label]) => (
                  <option key={label} value={value ?? ''}>
                    {label}
                  </option>
                ))}
              </select>
            )}
          </Field>
        </div>
        {ruleWords !== null && (
          <Field label={dialogTexts.permission.startsWith} problem={isRight ? undefined : dialogTexts.permission.notThis}>
            {id => (
              <input
                id={id}
                className="agor-input agor-mono"
                value={text}
                autoComplete="off"
                spellCheck={false}
                aria-invalid={!isRight}
                onChange={event => setText(event.target.value)}
              />
            )}
          </Field>
        )}
        {isRight && (
          <p className="agor-advice" role="status">
            {dialogTexts.permission.matches(whatOf(ruleKind, ruleWords && prefix), dialogTexts.permission.scopes[scope])}{' '}
            {ruleWords !== null && dialogTexts.permission.neverJoined}
          </p>
        )}
        <button type="submit" className="agor-btn agor-need" disabled={!isRight || isDisabled}>
          {dialogTexts.permission.remember}
        </button>
      </form>
    </div>
  );
}
