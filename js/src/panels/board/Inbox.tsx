// What needs a person: open questions first, then what failed, was interrupted, or waits for a person to let it go on. A row leaves when it is answered, by anyone.

import { useState } from 'react';
import type { Firing, Permission, Session, Turn } from '../../protocol/generated.js';
import { asksPerson, firingWords } from '../../store/firings.js';
import { parked, parkedTurn } from '../../store/parked.js';
import { plain } from '../../store/plain.js';
import { countsOf, isOnBoard, sessionWords } from '../../store/standing.js';
import type { BoardState } from '../../store/types.js';
import { dialogTexts, texts } from '../../texts';
import { age } from '../../texts/ages.js';
import { questionOf } from '../../texts/questions.js';
import { Mark } from '../common/Icon.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { useFocusTrap } from '../common/trap.js';
import { optionLabel, ordered } from '../consent/Permission.js';
import { agentLabel, useApp, useCommand, useNow, useShared } from '../context.js';
import { FiringActions } from '../zone/FiringBlock.js';
import { useZoneName } from '../zone/zones.js';

export function Inbox() {
  const { client, commands } = useApp();
  const shared = useShared();
  const trap = useFocusTrap(() => commands.openInbox(false), true);
  const [isMine, setMine] = useState(false);
  const me = shared.me?.person.username;
  const here = (worktreeId: string) => isOnBoard(worktreeId, client.path, shared);
  const needs = countsOf(client.path, shared).needs;
  const belongs = (session: Session | undefined) => !isMine || session?.createdBy.username === me;
  const asked = [...shared.permissions.values()]
    .filter(p => belongs(shared.sessions.get(p.sessionId)))
    .sort((a, b) => Number(here(b.worktreeId)) - Number(here(a.worktreeId)) || a.askedAt.localeCompare(b.askedAt));
  const waiting = [...shared.firings.values()]
    .filter(firing => asksPerson(firing) && (!isMine || firing.by.username === me))
    .sort((a, b) => Number(here(b.worktreeId)) - Number(here(a.worktreeId)) || a.stateSince.localeCompare(b.stateSince));
  const broken = [...shared.sessions.values()]
    .filter(session => session.archivedAt === null && belongs(session) && isBroken(session, shared))
    .sort((a, b) => b.stateSince.localeCompare(a.stateSince))
    .slice(0, 50);
  return (
    <div ref={trap.ref} className="agor-popover agor-inbox" role="dialog" aria-label={texts.inbox.title} onKeyDown={trap.onKeyDown}>
      <header className="agor-popover-head">
        {texts.inbox.title}
        {needs > 0 && <span className="agor-count agor-need">{needs}</span>}
        <span className="agor-grow" />
        <span className="agor-segmented" role="group" aria-label={dialogTexts.inbox.whose}>
          <button type="button" aria-pressed={isMine} onClick={() => setMine(true)}>
            {dialogTexts.inbox.mine}
          </button>
          <button type="button" aria-pressed={!isMine} onClick={() => setMine(false)}>
            {dialogTexts.inbox.everyone}
          </button>
        </span>
      </header>
      <div className="agor-inbox-rows">
        {asked.map(permission => (
          <Question
            key={permission.id}
            permission={permission}
            board={here(permission.worktreeId) ? null : (shared.worktrees.get(permission.worktreeId)?.board ?? null)}
          />
        ))}
        {waiting.map(firing => (
          <Waiting key={firing.id} firing={firing} board={here(firing.worktreeId) ? null : firing.board} />
        ))}
        {broken.map(session => (
          <Broken key={session.id} session={session} />
        ))}
        {!asked.length && !waiting.length && !broken.length && <p className="agor-nothing">{dialogTexts.inbox.empty}</p>}
      </div>
      <footer className="agor-popover-foot">{dialogTexts.inbox.foot}</footer>
    </div>
  );
}

/** `board`: another one than this view's. */
function Question({ permission, board }: { permission: Permission; board: string | null }) {
  const { commands } = useApp();
  const shared = useShared();
  const { run, isRunning, problem } = useCommand();
  const now = useNow(15_000);
  const session = shared.sessions.get(permission.sessionId);
  const worktree = shared.worktrees.get(permission.worktreeId);
  const options = ordered(permission.options);
  const short = options.filter(option => option.kind === 'allow_once' || option.kind === 'reject_once');
  return (
    <section className="agor-inbox-row" data-permission={permission.id}>
      <Mark state="needs_you" />
      <b className="agor-ell">{visible(worktree?.name ?? plain(session?.title ?? ''))}</b>
      <span className="agor-xs agor-t3">{age(permission.askedAt, now)}</span>
      <span className="agor-inbox-wide">
        {questionOf(agentLabel(shared, session?.agent ?? ''), permission.toolKind)}
        {board && ` ${dialogTexts.inbox.onBoard(visible(board))}`}
      </span>
      <pre className="agor-inbox-wide">{visible(permission.command ?? permission.title)}</pre>
      <div className="agor-inbox-wide agor-row">
        {shared.me?.role === 'owner' &&
          short.map((option, index) => (
            <button
              key={option.id}
              type="button"
              disabled={isRunning}
              className={`agor-btn agor-sm${index === 0 && option.kind === 'allow_once' ? ' agor-need' : ''}`}
              onClick={() => void run(() => commands.answer(permission.id, option.id))}
            >
              {optionLabel(option, options)}
            </button>
          ))}
        <button
          type="button"
          className={`agor-btn agor-sm${short.length ? ' agor-ghost' : ''}`}
          onClick={() => commands.openSession(permission.sessionId)}
        >
          {dialogTexts.inbox.open}
        </button>
      </div>
      <Problem text={problem} />
    </section>
  );
}

/** A zone that asks before it runs, or before it lets a card move on. */
function Waiting({ firing, board }: { firing: Firing; board: string | null }) {
  const { commands } = useApp();
  const shared = useShared();
  const zoneName = useZoneName();
  const now = useNow(15_000);
  const worktree = shared.worktrees.get(firing.worktreeId);
  return (
    <section className="agor-inbox-row" data-firing={firing.id}>
      <Mark state="needs_you" />
      <button type="button" className="agor-ell agor-b agor-link-quiet agor-left" onClick={() => commands.openDiff(firing.worktreeId)}>
        {visible(worktree?.name ?? firing.zone)}
      </button>
      <span className="agor-xs agor-t3">{age(firing.stateSince, now)}</span>
      <span className="agor-inbox-wide">
        {visible(firingWords(firing, zoneName))}
        {board && ` ${dialogTexts.inbox.onBoard(visible(board))}`}
      </span>
      <div className="agor-inbox-wide">
        <FiringActions firing={firing} />
      </div>
    </section>
  );
}

/** A turn that is tried again by itself needs nobody. */
function isBroken(session: Session, shared: BoardState): boolean {
  if (session.state === 'parked') return parkedTurn(session, shared)?.retryAt === null;
  return session.state === 'failed' || session.state === 'interrupted';
}

function Broken({ session }: { session: Session }) {
  const { commands } = useApp();
  const shared = useShared();
  const now = useNow(15_000);
  const waits = session.state === 'parked' ? parkedTurn(session, shared) : undefined;
  const last = session.lastTurnId === null ? undefined : shared.turns.get(session.lastTurnId);
  const turn = [...(last ? [last] : shared.turns.values())].find(
    ({ sessionId, state }) => sessionId === session.id && (state === 'failed' || state === 'interrupted'),
  );
  return (
    <button type="button" className="agor-inbox-row" onClick={() => commands.openSession(session.id)}>
      <Mark state={session.state} label={sessionWords(session, shared)} />
      <b className="agor-ell">{visible(shared.worktrees.get(session.worktreeId)?.name ?? plain(session.title))}</b>
      <span className="agor-xs agor-t3">{age(session.stateSince, now)}</span>
      <span className="agor-inbox-wide">{waits ? reasonOf(waits, shared, now) : visible(turn?.error ?? texts.states[session.state])}</span>
    </button>
  );
}

function reasonOf(turn: Turn, shared: BoardState, now: number): string {
  const { title, kept, next } = parked(turn, shared, now);
  return `${title}. ${kept} ${next}`;
}
