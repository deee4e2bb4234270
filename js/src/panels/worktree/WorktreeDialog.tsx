// A new worktree: repo, name, branch, base, links, and what an agent should do first.
import { type FormEvent, type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';

import type { Adoptable, Branch, Worktree } from '../../protocol/generated.js';
import { newKey, repos, worktrees } from '../../session/requests.js';
import { localName } from '../../store/branches.js';
import { startingRepo } from '../../store/repos.js';
import type { Place } from '../../store/types.js';
import { dialogTexts } from '../../texts';
import { Dialog, Field } from '../common/Dialog.js';
import { DialogFoot } from '../common/DialogFoot.js';
import { useDraft } from '../common/drafts.js';
import { Icon } from '../common/Icon.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { useApp, useCommand, useShared } from '../context.js';
import { AgentFields, useAgentChoice } from '../session/AgentChoice.js';
import { useTextOnly } from '../session/attachments.js';

/** Ctrl Enter sends a form from a field of several lines. */
export function submitKeys(event: KeyboardEvent<HTMLFormElement>): void {
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  event.currentTarget.requestSubmit();
}

/** What git accepts as a branch, made from what a person types. */
export function branchOf(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9/._-]+/g, '-')
    .replace(/\.{2,}/g, '.')
    .replace(/\/{2,}/g, '/')
    .replace(/^[-./]+|[-./]+$/g, '')
    .slice(0, 100);
}

const ADDRESS = /^https:\/\/[^\s/]+\/\S+$/;

/** What is pasted where a name belongs: the address of an issue, or of a pull or merge request, which the worktree is named after. */
export function linkOf(name: string): { issueUrl: string } | { pullRequestUrl: string } | null {
  const address = name.trim();
  if (!ADDRESS.test(address)) return null;
  return /\/(?:pull|merge_requests)\/\d+/.test(address) ? { pullRequestUrl: address } : { issueUrl: address };
}

export function WorktreeDialog({ at, start }: { at: Place | undefined; start: string | undefined }) {
  const { client, commands } = useApp();
  const shared = useShared();
  const repos = [...shared.repos.values()].filter(repo => repo.state !== 'failed');
  const [repo, setRepo] = useState(() => start ?? startingRepo(shared)?.slug);
  const draft = useDraft(`worktree ${client.path}`, { name: '', branch: '', base: '', issueUrl: '', pullRequestUrl: '', prompt: '' });
  const { name, branch, base, issueUrl, pullRequestUrl, prompt } = draft.values;
  const choice = useAgentChoice();
  const { run, isRunning, problem } = useCommand();
  const textOnly = useTextOnly();
  const key = useRef(newKey());
  const made = useRef<Worktree | null>(null);
  const chosen = repos.find(({ slug }) => slug === repo) ?? startingRepo(shared);
  const branches = useBranches(chosen?.slug);
  const listId = useId();
  const link = linkOf(name);
  const shownBranch = branch || (link ? '' : branchOf(name));
  const existing = branches.find(known => !known.isRemote && known.name === shownBranch) ?? branches.find(known => localName(known) === shownBranch);
  const isExisting = existing !== undefined;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!chosen || !name.trim()) return;
    await run(async () => {
      made.current ??= await commands.createWorktree(
        {
          repo: chosen.slug,
          ...(link ?? { name: name.trim() }),
          ...(shownBranch ? { branch: shownBranch } : {}),
          existingBranch: isExisting,
          ...(base.trim() && !isExisting ? { base: base.trim() } : {}),
          ...(issueUrl.trim() ? { issueUrl: issueUrl.trim() } : {}),
          ...(pullRequestUrl.trim() ? { pullRequestUrl: pullRequestUrl.trim() } : {}),
          ...(at ? { x: at.x, y: at.y } : {}),
        },
        key.current,
      );
      if (prompt.trim()) {
        await client.whenReady(made.current.id);
        const session = await choice.start(made.current.id, prompt);
        commands.openSession(session.id);
      }
      draft.forget();
      commands.closeDialog();
    });
  };
  const cancel = () => {
    draft.forget();
    commands.closeDialog();
  };
  /** Another request is another command, unless the worktree is there already and only its session failed. */
  const changed = () => {
    choice.renew();
    if (!made.current) key.current = newKey();
  };
  if (!chosen) {
    return (
      <Dialog title={dialogTexts.worktree.new} onClose={() => commands.closeDialog()}>
        <p>{dialogTexts.worktree.noRepo}</p>
        <button
          type="button"
          data-autofocus
          className="agor-btn agor-primary"
          onClick={() => commands.openDialog('repo', { back: { name: 'worktree', ...(at ? { at } : {}) } })}
        >
          {dialogTexts.repo.add}
        </button>
      </Dialog>
    );
  }
  return (
    <Dialog
      title={dialogTexts.worktree.new}
      onClose={() => commands.closeDialog()}
      width={520}
      footer={
        <DialogFoot
          note={
            <span className="agor-grow agor-xs agor-t3">
              {isExisting
                ? dialogTexts.worktree.onExisting(shownBranch)
                : link && !branch
                  ? dialogTexts.worktree.namedAfterLink
                  : dialogTexts.worktree.onNew(shownBranch, base || chosen.defaultBranch || 'HEAD')}
            </span>
          }
          act={isRunning ? dialogTexts.worktree.creating : prompt.trim() ? dialogTexts.worktree.createAndPrompt : dialogTexts.worktree.create}
          form="agor-worktree-form"
          isDisabled={isRunning || !name.trim()}
          onClose={cancel}
        />
      }
    >
      <form id="agor-worktree-form" onSubmit={event => void submit(event)} onKeyDown={submitKeys} onChange={changed}>
        <Field label={dialogTexts.worktree.repo}>
          {id => (
            <div className="agor-row">
              <select id={id} className="agor-select agor-grow" value={chosen.slug} onChange={event => setRepo(event.target.value)}>
                {repos.map(({ slug, state }) => (
                  <option key={slug} value={slug} disabled={state !== 'ready'}>
                    {state === 'cloning' ? dialogTexts.repo.cloningShort(slug) : slug}
                  </option>
                ))}
              </select>
              <button
                type="button"
                className="agor-btn"
                onClick={() => commands.openDialog('repo', { back: { name: 'worktree', ...(at ? { at } : {}) } })}
              >
                <Icon name="plus" size={14} />
                {dialogTexts.repo.addShort}
              </button>
            </div>
          )}
        </Field>
        <Field label={dialogTexts.worktree.name}>
          {id => (
            <input
              id={id}
              data-autofocus
              className="agor-input"
              value={name}
              placeholder={dialogTexts.worktree.nameOrAddress}
              maxLength={500}
              required
              autoComplete="off"
              onChange={event => draft.set({ name: event.target.value })}
            />
          )}
        </Field>
        <div className="agor-columns">
          <Field
            label={dialogTexts.worktree.branch}
            hint={existing && (existing.isRemote ? dialogTexts.worktree.branchOnRemote(visible(existing.name)) : dialogTexts.worktree.branchExists)}
          >
            {id => (
              <input
                id={id}
                className="agor-input agor-mono"
                value={branch}
                placeholder={branchOf(name) || dialogTexts.worktree.branchPlaceholder}
                autoComplete="off"
                spellCheck={false}
                onChange={event => draft.set({ branch: event.target.value })}
              />
            )}
          </Field>
          <Field label={dialogTexts.worktree.base}>
            {id => (
              <>
                <input
                  id={id}
                  className="agor-input agor-mono"
                  list={listId}
                  value={base}
                  placeholder={chosen.defaultBranch ?? 'HEAD'}
                  disabled={isExisting}
                  autoComplete="off"
                  spellCheck={false}
                  onChange={event => draft.set({ base: event.target.value })}
                />
                <datalist id={listId}>
                  {branches.slice(0, 200).map(known => (
                    <option key={known.name} value={known.name} />
                  ))}
                </datalist>
              </>
            )}
          </Field>
        </div>
        <details className="agor-details">
          <summary>{dialogTexts.worktree.links}</summary>
          <div className="agor-columns">
            <Field label={dialogTexts.worktree.issue}>
              {id => (
                <input
                  id={id}
                  className="agor-input"
                  type="url"
                  value={issueUrl}
                  placeholder="https://"
                  onChange={event => draft.set({ issueUrl: event.target.value })}
                />
              )}
            </Field>
            <Field label={dialogTexts.worktree.pullRequest}>
              {id => (
                <input
                  id={id}
                  className="agor-input"
                  type="url"
                  value={pullRequestUrl}
                  placeholder="https://"
                  onChange={event => draft.set({ pullRequestUrl: event.target.value })}
                />
              )}
            </Field>
          </div>
        </details>
        <Field label={dialogTexts.worktree.firstPrompt} hint={dialogTexts.session.promptHint}>
          {id => (
            <textarea
              id={id}
              className="agor-input"
              rows={3}
              value={prompt}
              onChange={event => draft.set({ prompt: event.target.value })}
              onPaste={textOnly.paste}
            />
          )}
        </Field>
        {prompt.trim() && <AgentFields choice={choice} label={dialogTexts.session.agent} hasBudget />}
        <Problem text={textOnly.refusal ?? problem} />
      </form>
      <Adopt repo={chosen.slug} at={at} />
    </Dialog>
  );
}

/** Worktrees of git's own list that are none of ours, each with a button that takes it in where it lies. */
function Adopt({ repo, at }: { repo: string; at: Place | undefined }) {
  const { client, commands } = useApp();
  const shared = useShared();
  const [found, setFound] = useState<readonly Adoptable[]>([]);
  const { run, isRunning, problem } = useCommand();
  const key = useRef(newKey());
  useEffect(() => {
    let isGone = false;
    worktrees.adoptable(client, repo).then(
      list => !isGone && setFound(list),
      () => !isGone && setFound([]),
    );
    return () => {
      isGone = true;
    };
  }, [commands, repo]);
  if (shared.me?.role !== 'owner' || !found.length) return null;
  const adopt = (path: string) =>
    run(async () => {
      await worktrees.adopt(client, { repo, path, ...(at ? { x: at.x, y: at.y } : {}) }, key.current);
      key.current = newKey();
      commands.closeDialog();
    });
  return (
    <details className="agor-details">
      <summary>{dialogTexts.worktree.adoptable(found.length)}</summary>
      <p className="agor-advice">{dialogTexts.worktree.adoptHint}</p>
      <ul className="agor-plain-list">
        {found.map(one => (
          <li key={one.path} className="agor-list-row">
            <span className="agor-grow agor-adoptable">
              <code className="agor-ell" title={visible(one.path)}>
                {visible(one.path)}
              </code>
              {one.reason && <span className="agor-advice">{visible(one.reason)}</span>}
            </span>
            <span className="agor-t3 agor-nowrap">{visible(one.branch ?? one.head?.slice(0, 10) ?? '')}</span>
            <button type="button" className="agor-btn agor-sm" disabled={isRunning || one.reason !== null} onClick={() => void adopt(one.path)}>
              {dialogTexts.worktree.adopt}
            </button>
          </li>
        ))}
      </ul>
      <Problem text={problem} />
    </details>
  );
}

function useBranches(slug: string | undefined): Branch[] {
  const { client, commands } = useApp();
  const [branches, setBranches] = useState<Branch[]>([]);
  useEffect(() => {
    if (!slug) return;
    let isGone = false;
    // Suggestions only: without them the base can still be typed.
    repos.branches(client, slug).then(
      found => !isGone && setBranches(found),
      () => !isGone && setBranches([]),
    );
    return () => {
      isGone = true;
    };
  }, [commands, slug]);
  return branches;
}
