// A worktree beside the board: what git says, ways on, the diff against the base, links and notes.

import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { Patch, Session, Worktree } from '../../protocol/generated.js';
import { worktrees } from '../../session/requests.js';
import { plain } from '../../store/plain.js';
import { sessionWords, standingOf } from '../../store/standing.js';
import { dialogTexts, texts } from '../../texts';
import { ago, isOlder } from '../../texts/ages.js';
import { count } from '../../texts/counts.js';
import { Field } from '../common/Dialog.js';
import { AgentTile, Icon, IconButton, Mark } from '../common/Icon.js';
import { MenuButton } from '../common/Menu.js';
import { Problem } from '../common/Problem.js';
import { safeHref, visible } from '../common/safe.js';
import { agentIcon, agentLabel, canSteer, useApp, useCommand, useNow, useShared } from '../context.js';
import { EnvironmentBlock } from '../environment/EnvironmentBlock.js';
import { KernelBlock } from '../environment/KernelBlock.js';
import { Changes } from '../transcript/Diff.js';
import { parsePatch } from '../transcript/patch.js';
import { Patched } from '../transcript/Transcript.js';
import { FiringBlock } from '../zone/FiringBlock.js';
import { Kept } from './Kept.js';
import { OwnFiles, WorkList } from './Work.js';

export function WorktreePanel({ worktree }: { worktree: Worktree }) {
  const { client, commands } = useApp();
  const shared = useShared();
  useEffect(() => client.follow(worktree.id), [client, worktree.id]);
  const sessions = (shared.sessionsOf.get(worktree.id) ?? []).flatMap(id => shared.sessions.get(id) ?? []);
  return (
    <>
      <header className="agor-panel-head">
        <div className="agor-crumb">
          <Icon name="branch" size={12} />
          <code className="agor-ell">{visible(worktree.branch)}</code>
          <span className="agor-nowrap">
            {dialogTexts.worktree.from} <code title={worktree.baseSha}>{visible(worktree.baseRef)}</code>
          </span>
          <span className="agor-grow" />
          <WorktreeMenu worktree={worktree} />
          <IconButton icon="close" label={dialogTexts.panel.close} onClick={() => commands.closePanel()} />
        </div>
        <div className="agor-row agor-panel-title">
          <Mark {...standingOf(worktree, shared)} />
          <h2 className="agor-grow agor-ell">{visible(worktree.name)}</h2>
          {canSteer(shared) && worktree.state === 'ready' && (
            <button type="button" className="agor-btn agor-sm" onClick={() => commands.openDialog('session', { worktreeId: worktree.id })}>
              <Icon name="plus" size={14} />
              {dialogTexts.session.button}
            </button>
          )}
        </div>
        <StatusLine worktree={worktree} />
        <WorkList label={dialogTexts.worktree.inFolder} found={workOf(worktree)} />
        <OwnFiles found={worktree.status?.work ?? []} />
      </header>
      <div className="agor-worktree-body">
        {worktree.reason && <Problem text={worktree.reason} />}
        <FiringBlock worktree={worktree} />
        <Ways worktree={worktree} />
        {worktree.notices.map(notice => (
          <p key={notice} className="agor-advice">
            {visible(notice)}
          </p>
        ))}
        {sessions.length > 0 && (
          <ul className="agor-plain-list" aria-label={dialogTexts.menu.sessions}>
            {sessions.map(session => (
              <li key={session.id}>
                <button type="button" className="agor-tool" onClick={() => commands.openSession(session.id)}>
                  <AgentTile icon={agentIcon(shared, session.agent)} label={agentLabel(shared, session.agent)} />
                  <span className="agor-ell agor-grow agor-left">{visible(plain(session.title)) || texts.panel.untitled}</span>
                  <Mark state={session.state} label={sessionWords(session, shared)} size={14} />
                </button>
              </li>
            ))}
          </ul>
        )}
        {worktree.state === 'ready' && <EnvironmentBlock key={`${worktree.id} environment`} worktree={worktree} />}
        {worktree.state === 'ready' && <KernelBlock key={`${worktree.id} kernel`} worktree={worktree} />}
        {worktree.state === 'ready' && <Kept worktree={worktree} print={printOf(worktree, sessions)} />}
        <Links worktree={worktree} />
        <Notes key={worktree.id} worktree={worktree} />
        {worktree.state === 'ready' && <WorktreeDiff worktree={worktree} />}
        {canSteer(shared) && <PutAway worktree={worktree} />}
      </div>
    </>
  );
}

/** Changes when an agent there began or ended something, or somebody moved the branch. */
const printOf = (worktree: Worktree, sessions: readonly Session[]): string =>
  [worktree.branch, worktree.status?.head, ...sessions.map(session => `${session.id} ${session.state} ${session.stateSince}`)].join('\n');

/** What is in its way or was left behind, each with a button for every way on. */
function Ways({ worktree }: { worktree: Worktree }) {
  const { commands } = useApp();
  const shared = useShared();
  const { run, isRunning, problem } = useCommand();
  if (!worktree.ways.length) return null;
  const reasons = [...new Set(worktree.ways.map(({ why }) => why))];
  return (
    <section aria-label={texts.worktree.stuck} className="agor-mending">
      {reasons.map(why => {
        const same = worktree.ways.filter(way => way.why === why);
        return (
          <div key={why} className="agor-way" data-blocking={same.some(way => way.isBlocking) || undefined}>
            {why && why !== worktree.reason && <p>{visible(why)}</p>}
            {same.map(way => (
              <div key={way.kind} className="agor-row">
                {canSteer(shared) && (
                  <button
                    type="button"
                    className="agor-btn agor-sm"
                    disabled={isRunning}
                    onClick={() => void run(() => commands.mend(worktree.id, way.kind))}
                  >
                    {way.label}
                  </button>
                )}
                <span className="agor-grow agor-t2">{visible(way.what)}</span>
              </div>
            ))}
          </div>
        );
      })}
      <Problem text={problem} />
    </section>
  );
}

function WorktreeMenu({ worktree }: { worktree: Worktree }) {
  const { commands } = useApp();
  const shared = useShared();
  const of = { worktreeId: worktree.id };
  const items = [
    { id: 'history', label: dialogTexts.menu.history, icon: 'undo' as const, run: () => commands.openDialog('history', of) },
    { id: 'rules', label: dialogTexts.menu.rules, icon: 'list' as const, run: () => commands.openDialog('rules', of) },
    ...(shared.me?.role === 'owner'
      ? [{ id: 'trust', label: dialogTexts.menu.trust, icon: 'file' as const, run: () => commands.openDialog('trust', of) }]
      : []),
    { id: 'budget', label: dialogTexts.menu.budget, icon: 'coin' as const, run: () => commands.openDialog('budget', of) },
  ];
  return (
    <MenuButton className="agor-ib agor-sm" label={texts.panel.more} items={items}>
      <Icon name="more" />
    </MenuButton>
  );
}

function StatusLine({ worktree }: { worktree: Worktree }) {
  const shared = useShared();
  const now = useNow(5000);
  const { status } = worktree;
  if (!status) return <div className="agor-row agor-panel-meta agor-t3">{worktree.step ?? standingOf(worktree, shared).label}</div>;
  return (
    <div className="agor-row agor-panel-meta agor-t2">
      <Changes added={status.added} deleted={status.deleted} />
      <span>{count(status.files, 'file')}</span>
      {(status.ahead > 0 || status.behind > 0) && (
        <span>
          {status.ahead > 0 && `↑${status.ahead}`} {status.behind > 0 && `↓${status.behind}`}
        </span>
      )}
      {status.dirty && <span>{dialogTexts.worktree.uncommitted(status.staged + status.unstaged + status.untracked)}</span>}
      {status.conflicted > 0 && <span className="agor-fail-text">{dialogTexts.worktree.conflicts(status.conflicted)}</span>}
      {status.inside && status.inside.conflicted > 0 && (
        <span className="agor-fail-text">{dialogTexts.worktree.insideConflicts(status.inside.conflicted)}</span>
      )}
      <span className="agor-grow" />
      {isOlder(status.asOf, 60, now) && <span className="agor-xs agor-t3">{ago(status.asOf, now)}</span>}
    </div>
  );
}

function Links({ worktree }: { worktree: Worktree }) {
  const links = [
    { label: dialogTexts.worktree.issue, href: worktree.issueUrl },
    { label: dialogTexts.worktree.pullRequest, href: worktree.pullRequestUrl },
  ];
  if (links.every(link => !link.href)) return null;
  return (
    <div className="agor-row agor-wrap">
      {links.map(({ label, href }) => {
        const safe = href ? safeHref(href) : null;
        if (!href) return null;
        return safe ? (
          <a key={label} className="agor-pill agor-tint-rest" href={safe} target="_blank" rel="noopener noreferrer">
            <Icon name="link" size={12} />
            {label}
          </a>
        ) : (
          <span key={label} className="agor-pill agor-tint-rest">
            {label} {visible(href)}
          </span>
        );
      })}
    </div>
  );
}

function Notes({ worktree }: { worktree: Worktree }) {
  const { commands } = useApp();
  const shared = useShared();
  const [text, setText] = useState(worktree.notes);
  const [isDirty, setDirty] = useState(false);
  const { run, problem } = useCommand();
  useEffect(() => {
    if (!isDirty) setText(worktree.notes);
  }, [worktree.notes, isDirty]);
  const save = () => {
    if (!isDirty) return;
    void run(() => commands.changeWorktree(worktree.id, { notes: text })).then(isSaved => isSaved && setDirty(false));
  };
  const last = useRef(save);
  last.current = save;
  // A panel that is closed while it is typed in takes no leave of its field.
  useEffect(() => () => last.current(), []);
  return (
    <>
      <Field label={dialogTexts.worktree.notes} hint={isDirty ? dialogTexts.worktree.notesHint : undefined}>
        {id => (
          <textarea
            id={id}
            className="agor-input"
            rows={2}
            value={text}
            readOnly={!canSteer(shared)}
            onChange={event => {
              setText(event.target.value);
              setDirty(true);
            }}
            onBlur={save}
          />
        )}
      </Field>
      <Problem text={problem} />
    </>
  );
}

function WorktreeDiff({ worktree }: { worktree: Worktree }) {
  const { client } = useApp();
  const { run, isRunning, problem } = useCommand();
  const [patch, setPatch] = useState<Patch | null>(null);
  const load = useRef<() => void>(() => undefined);
  load.current = useCallback(() => void run(async () => setPatch(await worktrees.diff(client, worktree.id))), [client, run, worktree.id]);
  // Read anew when git's figures changed, not when somebody else's did.
  const print = worktree.status ? `${worktree.status.head} ${worktree.status.files} ${worktree.status.added} ${worktree.status.deleted}` : '';
  useEffect(() => load.current(), [worktree.id, print]);
  const files = useMemo(() => (patch ? parsePatch(patch.text) : []), [patch]);
  return (
    <section aria-label={dialogTexts.panel.changes}>
      <div className="agor-row agor-section-head">
        <h3>{dialogTexts.worktree.changesAgainst(worktree.baseRef)}</h3>
        <span className="agor-grow" />
        <IconButton icon="refresh" label={dialogTexts.worktree.refresh} size={14} isDisabled={isRunning} onClick={() => load.current()} />
      </div>
      <Problem text={problem} />
      {patch && !files.length && !patch.notShown.length && <p className="agor-advice">{dialogTexts.worktree.noChanges}</p>}
      {patch?.notShown.map(line => (
        <p key={line} className="agor-advice">
          {visible(line)}
        </p>
      ))}
      {!patch && isRunning && <p className="agor-advice">{texts.transcript.loading}</p>}
      <Patched files={files} isCut={patch?.isCut ?? false} />
    </section>
  );
}

function PutAway({ worktree }: { worktree: Worktree }) {
  const { client, commands } = useApp();
  const shared = useShared();
  const { run, isRunning, problem } = useCommand();
  const isArchived = worktree.state === 'archived';
  return (
    <section className="agor-put-away">
      {isArchived ? (
        <button type="button" className="agor-btn" disabled={isRunning} onClick={() => void run(() => commands.restoreWorktree(worktree.id))}>
          {dialogTexts.worktree.restore}
        </button>
      ) : (
        <button type="button" className="agor-btn" disabled={isRunning} onClick={() => void run(() => commands.archiveWorktree(worktree.id))}>
          <Icon name="archive" size={14} />
          {dialogTexts.worktree.archive}
        </button>
      )}
      {shared.me?.role === 'owner' && worktree.isAdopted && !isArchived && (
        <button
          type="button"
          className="agor-btn"
          disabled={isRunning}
          title={dialogTexts.worktree.releaseHint}
          onClick={() => void run(() => worktrees.release(client, worktree.id)).then(isDone => isDone && commands.closePanel())}
        >
          {dialogTexts.worktree.release}
        </button>
      )}
      {shared.me?.role === 'owner' && (
        <button type="button" className="agor-btn agor-ghost" onClick={() => commands.openDialog('remove', { worktreeId: worktree.id })}>
          <Icon name="trash" size={14} />
          {dialogTexts.worktree.remove}
        </button>
      )}
      <Problem text={problem} />
    </section>
  );
}

const workOf = (worktree: Worktree) => worktree.status?.work.filter(one => one.kind !== 'own') ?? [];
