// The question an agent asks before it acts: the real command, and one key per answer.

import { type KeyboardEvent, memo, useEffect, useId, useRef } from 'react';
import type { Permission, PermissionOption, Remember } from '../../protocol/generated.js';
import { dialogTexts, texts } from '../../texts';
import { age, hour } from '../../texts/ages.js';
import { questionOf } from '../../texts/questions.js';
import { Icon, Mark } from '../common/Icon.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { agentLabel, useApp, useCommand, useNow, useShared } from '../context.js';
import { isMemorable } from './prefix.js';
import { RememberMenu, simple, whatOf } from './Remember.js';
import { AskedFiles, paths, SettledFiles } from './Trust.js';

const ORDER: PermissionOption['kind'][] = ['allow_once', 'allow_always', 'reject_once', 'reject_always'];
export const ordered = (options: readonly PermissionOption[]): PermissionOption[] =>
  [...options].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));

/**
 * Our words for a yes or a no to this one question. What goes further is the agent's own, and keeps the agent's words: we do not know
 * what else it means by them.
 */
export function optionLabel(option: PermissionOption, all: readonly PermissionOption[]): string {
  const isOwn = option.kind.endsWith('_always') || all.filter(other => other.kind === option.kind).length > 1;
  return isOwn ? visible(option.name) : dialogTexts.permission.options[option.kind];
}

export interface Choice {
  readonly option: PermissionOption;
  readonly label: string;
  /** It makes a rule of ours, which can be seen and revoked, instead of one that the agent keeps to itself. */
  readonly remember: Remember | null;
}

/** The answers that a person can give, in the order of their keys. */
export function choicesOf(permission: Permission): Choice[] {
  const options = ordered(permission.options);
  if (permission.files) return options.map(option => ({ option, label: trustLabel(option, permission.files?.length ?? 0), remember: null }));
  const once = options.find(({ kind }) => kind === 'allow_once');
  const always = options.filter(({ kind }) => kind === 'allow_always');
  const plain = (option: PermissionOption): Choice => ({ option, label: optionLabel(option, options), remember: null });
  const allowing = once ?? always[0];
  // An agent that offers several kinds of “always” means something by each.
  if (!allowing || always.length > 1 || !isMemorable(permission)) return options.map(plain);
  const remembered: Choice = { option: allowing, label: alwaysLabel(permission), remember: simple(permission) };
  return [...(once ? [plain(once)] : []), remembered, ...options.filter(({ kind }) => kind.startsWith('reject')).map(plain)];
}

const alwaysLabel = ({ ruleWords, ruleKind }: Permission): string =>
  ruleWords === null && ruleKind === 'execute' ? dialogTexts.permission.everyCommand : dialogTexts.permission.always;

/** What is refused differs by agent: the server's words say it. */
const trustLabel = (option: PermissionOption, files: number): string =>
  option.kind.startsWith('allow') ? dialogTexts.trust.trustThese(files) : visible(option.name);

/** The agent's own words, where they say more than the command. */
function hasReason({ command, files, title }: Permission): boolean {
  return !files && command !== null && title !== '' && !command.startsWith(title.replace(/\s*(…|\.\.\.)$/, ''));
}

export function PermissionBlock({ permission, takesFocus }: { permission: Permission; takesFocus: boolean }) {
  const shared = useShared();
  const { commands } = useApp();
  const { run, isRunning, problem } = useCommand();
  const now = useNow(15_000);
  const ref = useRef<HTMLElement>(null);
  const choices = choicesOf(permission);
  const agent = agentLabel(shared, shared.sessions.get(permission.sessionId)?.agent ?? '');
  const mayAnswer = shared.me?.role === 'owner';
  const rule = useId();
  const remembered = choices.find(({ remember }) => remember !== null);
  const own = permission.files ? [] : choices.filter(({ option, remember }) => option.kind === 'allow_always' && remember === null);

  useEffect(() => {
    if (takesFocus) ref.current?.querySelector('button')?.focus({ preventScroll: true });
  }, [permission.id, takesFocus]);

  const answer = ({ option, remember }: Pick<Choice, 'option' | 'remember'>) =>
    void run(() => commands.answer(permission.id, option.id, remember ?? undefined));
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isRunning || !mayAnswer) return;
    const choice = choices[Number(event.key) - 1];
    if (!choice) return;
    event.preventDefault();
    event.stopPropagation();
    answer(choice);
  };
  const { files } = permission;
  const title = files ? dialogTexts.trust.asks(agent, files.length) : questionOf(agent, permission.toolKind);
  return (
    <section
      ref={ref}
      className={`agor-permission${files ? ' agor-trust' : ''}`}
      role="alertdialog"
      aria-label={title}
      onKeyDown={onKeyDown}
      data-permission={permission.id}
    >
      <div className="agor-permission-head">
        <Mark state="needs_you" />
        <span className="agor-grow">
          {title}
          {permission.askedBy !== null && <span className="agor-asked-by">, {visible(texts.permission.askedBy(permission.askedBy))}</span>}
        </span>
        <span className="agor-xs agor-t3">{age(permission.askedAt, now)}</span>
      </div>
      {files ? (
        <AskedFiles key={permission.id} permission={permission} mayRead={mayAnswer} />
      ) : (
        <pre tabIndex={0}>{visible(permission.command ?? permission.title)}</pre>
      )}
      {hasReason(permission) && <p className="agor-permission-why">{visible(permission.title)}</p>}
      {mayAnswer ? (
        <div className="agor-row agor-wrap">
          {choices.map((choice, index) => (
            <span key={`${choice.option.id}${choice.remember ? '+' : ''}`} className="agor-split">
              <button
                type="button"
                className={`agor-btn${index === 0 && choice.option.kind.startsWith('allow') ? ' agor-need' : ''}`}
                disabled={isRunning}
                onClick={() => answer(choice)}
                aria-keyshortcuts={String(index + 1)}
                aria-describedby={choice.remember ? rule : undefined}
                title={choice.remember ? undefined : choice.option.name}
              >
                {choice.label}
                <kbd className="agor-kbd">{index + 1}</kbd>
              </button>
              {choice.remember && (
                <RememberMenu permission={permission} isDisabled={isRunning} onAnswer={remember => answer({ option: choice.option, remember })} />
              )}
            </span>
          ))}
        </div>
      ) : (
        <p className="agor-permission-why">{dialogTexts.permission.notAllowed}</p>
      )}
      {mayAnswer && remembered && (
        <p id={rule} className="agor-permission-rule">
          <kbd className="agor-kbd">{choices.indexOf(remembered) + 1}</kbd>
          <span>
            {dialogTexts.permission.matches(
              whatOf(permission.ruleKind, remembered.remember?.commandPrefix ?? null),
              dialogTexts.permission.scopes.session,
            )}
          </span>
        </p>
      )}
      {mayAnswer && permission.toolKind === 'execute' && permission.ruleWords === null && (
        <p className="agor-permission-rule">{dialogTexts.permission.joined}</p>
      )}
      {mayAnswer &&
        own.map(choice => (
          <p key={choice.option.id} className="agor-permission-rule">
            <kbd className="agor-kbd">{choices.indexOf(choice) + 1}</kbd>
            <span>
              {visible(
                dialogTexts.permission.own(agent, dialogTexts.permission.reaches[choice.option.reach ?? 'unknown'], choice.option.keptIn ?? null),
              )}
            </span>
          </p>
        ))}
      <Problem text={problem} />
    </section>
  );
}

/** What the answer covered, as it was said before it was given. */
export function coverage({ remembered, ruleKind, state }: Permission, option: PermissionOption | undefined): string {
  if (remembered)
    return dialogTexts.permission.alsoAllows(
      whatOf(ruleKind, remembered.commandPrefix ?? null),
      dialogTexts.permission.scopes[remembered.scope ?? 'session'],
    );
  if (option?.kind.endsWith('_always')) return dialogTexts.permission.ownWords(visible(option.name));
  return state === 'allowed' ? dialogTexts.permission.once : '';
}

/** How a question ended stays in the transcript, with a name. */
export const Settled = memo(function Settled({ permission }: { permission: Permission }) {
  const what = permission.command ?? permission.title;
  const option = permission.options.find(({ id }) => id === permission.optionId);
  if (permission.state === 'open') return null;
  const isAllowed = permission.state === 'allowed';
  const files = permission.files && paths(permission.files);
  return (
    <div className="agor-fold agor-settled">
      <span className={`agor-mark agor-tone-${isAllowed ? 'done' : 'rest'}`}>
        <Icon name={isAllowed ? 'st-done' : 'st-cancelled'} size={14} />
      </span>
      <span className="agor-ell" title={files ? visible(files.join(', ')) : undefined}>
        {files ? (
          <SettledFiles permission={permission} files={files} />
        ) : permission.ruleId !== null ? (
          <>
            {permission.answeredBy ? (
              <>
                {dialogTexts.permission.allowedByRule} <b>{permission.answeredBy.name}</b>
              </>
            ) : (
              dialogTexts.permission.allowedByARule
            )}{' '}
            <code>{visible(what)}</code>
          </>
        ) : permission.answeredBy ? (
          <>
            <b>{permission.answeredBy.name}</b> {isAllowed ? dialogTexts.permission.allowed : dialogTexts.permission.rejected}{' '}
            <code>{visible(what)}</code> {coverage(permission, option)}
          </>
        ) : (
          <>
            {dialogTexts.permission.ended[permission.state]} <code>{visible(what)}</code>
          </>
        )}
      </span>
      <span className="agor-grow" />
      <span className="agor-xs">{hour(permission.answeredAt ?? permission.askedAt)}</span>
    </div>
  );
});
