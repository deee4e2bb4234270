// What was said and done, turn by turn. It sticks to the end until a person scrolls away.

import { type CSSProperties, type KeyboardEvent, memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { Patch, Turn } from '../../protocol/generated.js';
import { turns } from '../../session/requests.js';
import type { FeedState } from '../../session/transcript/feed.js';
import { group, type Item, type TurnBlock } from '../../session/transcript/fold.js';
import { waitedOf, workedOf } from '../../store/standing.js';
import { dialogTexts, texts } from '../../texts';
import { elapsed, took } from '../../texts/ages.js';
import { count } from '../../texts/counts.js';
import { money } from '../../texts/money.js';
import { Face, Icon } from '../common/Icon.js';
import { Menu, type MenuItem } from '../common/Menu.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { headline } from '../common/words.js';
import { Settled } from '../consent/Permission.js';
import { useApp, useCommand, useNow } from '../context.js';
import { AttachedSent } from '../session/Attached.js';
import { Changes, Diff } from './Diff.js';
import { Markdown } from './Markdown.js';
import { Prompt } from './Prompt.js';
import { parsePatch } from './patch.js';
import { revealTurn, useRevealed } from './reveal.js';
import { ToolCall, ToolGroup } from './ToolCall.js';

const OPEN = new Set<Turn['state']>(['starting', 'running', 'waiting', 'stopping']);

interface Props {
  sessionId: string;
  feed: FeedState;
  currentTurnId: string | null;
  /** The turn whose failure the panel says below, with what can be done: it is not said twice. */
  outcomeTurnId: string | null;
  /** Load what was before; whether that went well. */
  onEarlier: () => Promise<boolean>;
  /** What can be done with a turn that has ended. `null`: nothing. */
  menuOf: ((turn: Turn) => readonly MenuItem[]) | null;
}

export function Transcript({ sessionId, feed, currentTurnId, outcomeTurnId, onEarlier, menuOf }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const [isAtEnd, setAtEnd] = useState(true);
  const isAtEndRef = useRef(true);
  const onScroll = () => {
    const element = scroller.current;
    if (!element) return;
    isAtEndRef.current = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
    setAtEnd(isAtEndRef.current);
  };
  const toEnd = () => {
    const element = scroller.current;
    if (element) element.scrollTop = element.scrollHeight;
  };
  /** Alt and an arrow: to the beginning of this turn, of the one before, of the next. */
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
    event.preventDefault();
    const element = event.currentTarget;
    const from = (turn: Element) => turn.getBoundingClientRect().top - element.getBoundingClientRect().top;
    const turns = [...element.querySelectorAll('[data-turn]')];
    const to = event.key === 'ArrowDown' ? turns.find(turn => from(turn) > 4) : turns.findLast(turn => from(turn) < -4);
    if (!to) return;
    const go = () => (element.scrollTop += from(to));
    go();
    // What comes into view gets its real height then.
    requestAnimationFrame(go);
  };
  useLayoutEffect(() => {
    if (isAtEndRef.current) toEnd();
  }, [feed.blocks]);
  const { view } = useApp();
  const revealed = useRevealed(sessionId);
  const [opened, setOpened] = useState<OpenMenu | null>(null);
  const onMenu = useCallback((turn: Turn, button: HTMLElement) => setOpened(placed(turn, button)), []);
  const [pointed, setPointed] = useState<string | null>(null);
  const isAsking = useRef(false);
  const [pages, setPages] = useState(0);
  useEffect(() => {
    const element = scroller.current;
    if (!revealed || !element || !feed.blocks.length) return;
    const turn = [...element.querySelectorAll<HTMLElement>('[data-turn]')].find(one => one.dataset.turn === revealed);
    if (!turn && feed.hasEarlier) {
      if (isAsking.current) return;
      isAsking.current = true;
      void onEarlier().then(isLoaded => {
        isAsking.current = false;
        if (isLoaded) setPages(pages => pages + 1);
        else revealTurn(view, null);
      });
      return;
    }
    if (!turn && feed.isLoading) return;
    revealTurn(view, null);
    if (!turn) return;
    isAtEndRef.current = false;
    setPointed(revealed);
    turn.scrollIntoView({ block: 'start' });
    // What comes into view gets its real height then.
    requestAnimationFrame(() => turn.scrollIntoView({ block: 'start' }));
    element.focus({ preventScroll: true });
  }, [revealed, feed, view, onEarlier, pages]);
  // Blocks that come into view get their real height later; stay at the end meanwhile.
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => isAtEndRef.current && toEnd());
    observer.observe(element);
    if (element.firstElementChild) observer.observe(element.firstElementChild);
    return () => observer.disconnect();
  }, []);

  return (
    <div className="agor-transcript-box">
      <div
        ref={scroller}
        className="agor-transcript"
        onScroll={onScroll}
        onKeyDown={onKeyDown}
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label={dialogTexts.transcript.label}
      >
        <div>
          {feed.hasEarlier && (
            <button type="button" className="agor-btn agor-ghost agor-sm" onClick={() => void onEarlier()}>
              {dialogTexts.transcript.earlier}
            </button>
          )}
          {feed.isLoading && !feed.blocks.length && <p className="agor-nothing">{texts.transcript.loading}</p>}
          {!feed.isLoading && !feed.blocks.length && !feed.problem && <p className="agor-nothing">{dialogTexts.transcript.empty}</p>}
          <Problem text={feed.problem} />
          {feed.blocks.map((block, index) => (
            <TurnView
              key={block.turnId}
              block={block}
              turn={feed.turns.get(block.turnId) ?? block.ended}
              number={index + 1}
              isCurrent={block.turnId === currentTurnId}
              isSaidBelow={block.turnId === outcomeTurnId}
              isPointed={block.turnId === pointed}
              isMenuOpen={opened?.turn.id === block.turnId}
              onMenu={menuOf ? onMenu : null}
            />
          ))}
        </div>
      </div>
      {opened && menuOf && (
        <span className="agor-menu-place agor-turn-menu" style={opened.place}>
          <Menu label={dialogTexts.fork.atTurn(opened.turn.number)} items={menuOf(opened.turn)} onClose={() => setOpened(null)} />
        </span>
      )}
      {!isAtEnd && (
        <button type="button" className="agor-btn agor-sm agor-to-end" onClick={toEnd}>
          <Icon name="down" size={12} />
          {dialogTexts.transcript.toEnd}
        </button>
      )}
    </div>
  );
}

interface OpenMenu {
  readonly turn: Turn;
  readonly place: CSSProperties;
}

/** A menu in the head of a turn would be cut off where the turn ends: it lies over the transcript, where its button is. */
function placed(turn: Turn, button: HTMLElement): OpenMenu {
  const of = button.getBoundingClientRect();
  const frame = button.closest('.agor-transcript-box')?.getBoundingClientRect() ?? of;
  return { turn, place: { left: of.left - frame.left, top: of.top - frame.top, width: of.width, height: of.height } };
}

const TurnView = memo(function TurnView({
  block,
  turn,
  number,
  isCurrent,
  isSaidBelow,
  isPointed,
  isMenuOpen,
  onMenu,
}: {
  block: TurnBlock;
  turn: Turn | null;
  number: number;
  isCurrent: boolean;
  isSaidBelow: boolean;
  /** It was looked for. */
  isPointed: boolean;
  isMenuOpen: boolean;
  onMenu: ((turn: Turn, button: HTMLElement) => void) | null;
}) {
  const groups = useMemo(
    () => group(isSaidBelow && turn?.error ? block.items.filter(item => item.kind !== 'error' || item.text !== turn.error) : block.items),
    [block.items, isSaidBelow, turn],
  );
  const isOpen = isCurrent && (turn === null || OPEN.has(turn.state));
  const prompt = block.items.find(item => item.kind === 'prompt');
  const isContinued = turn?.origin === 'continued' || block.items.some(item => item.kind === 'notice' && item.code === 'continued');
  return (
    <section className={`agor-turn${isOpen ? '' : ' agor-turn-past'}`} data-turn={block.turnId} data-pointed={isPointed || undefined}>
      <header className="agor-turn-head">
        <b>{dialogTexts.transcript.turn(turn?.number ?? number)}</b>
        <span className="agor-ell agor-turn-title">
          {prompt?.kind === 'prompt' ? visible(headline(prompt.text)) : isContinued ? dialogTexts.transcript.continued : ''}
        </span>
        <span className="agor-turn-line" />
        <Figures block={block} turn={turn} isOpen={isOpen} />
        {onMenu && turn?.endedAt && turn.startedAt && (
          <button
            type="button"
            className="agor-ib agor-sm agor-turn-more"
            aria-haspopup="menu"
            aria-expanded={isMenuOpen}
            aria-label={dialogTexts.fork.atTurn(turn.number)}
            title={dialogTexts.fork.atTurn(turn.number)}
            onClick={event => onMenu(turn, event.currentTarget)}
          >
            <Icon name="more" size={14} />
          </button>
        )}
      </header>
      {groups.map((entry, index) =>
        entry.kind === 'reads' ? (
          <ToolGroup key={entry.key} tools={entry.tools} />
        ) : (
          <ItemView
            key={entry.item.key}
            item={entry.item}
            isStreaming={isOpen && index === groups.length - 1}
            worktreeId={turn?.worktreeId ?? null}
          />
        ),
      )}
      {turn && !isOpen && turn.state !== 'parked' && <TurnEnd turn={turn} />}
    </section>
  );
});

function Figures({ block, turn, isOpen }: { block: TurnBlock; turn: Turn | null; isOpen: boolean }) {
  if (isOpen) return turn ? <Times turn={turn} /> : <Running since={block.startedAt} />;
  return (
    <>
      {turn?.seconds != null && <Worked turn={turn} now={0} />}
      {turn?.costUsd != null && <span>{money(turn.costUsd, turn.costIsEstimate)}</span>}
    </>
  );
}

function Times({ turn }: { turn: Turn }) {
  const now = useNow(1000);
  return <Worked turn={turn} now={now} />;
}

/** Of work, and apart from it what its questions waited for a person. */
function Worked({ turn, now }: { turn: Turn; now: number }) {
  const waited = waitedOf(turn, now);
  const worked = elapsed(workedOf(turn, now));
  return <span>{waited < 1 ? worked : `${texts.standing.worked(worked)} · ${texts.standing.waited(elapsed(waited))}`}</span>;
}

function Running({ since }: { since: string }) {
  const now = useNow(1000);
  return <span>{elapsed((now - Date.parse(since)) / 1000)}</span>;
}

const ItemView = memo(function ItemView({ item, isStreaming, worktreeId }: { item: Item; isStreaming: boolean; worktreeId: string | null }) {
  switch (item.kind) {
    case 'prompt':
      return (
        <div className="agor-you">
          <Face person={item.by} />
          <div className="agor-grow">
            <Prompt text={item.text} />
            {worktreeId !== null && <AttachedSent list={item.attachments} worktreeId={worktreeId} />}
          </div>
        </div>
      );
    case 'text':
      return <Markdown text={item.text} isStreaming={isStreaming} />;
    case 'thought':
      return <Thought text={item.text} seconds={took(item.startedAt, item.endedAt)} isStreaming={isStreaming} />;
    case 'tool':
      return <ToolCall tool={item.tool} />;
    case 'permission':
      return <Settled permission={item.permission} />;
    case 'notice':
      return (
        <div className="agor-fold">
          <Icon name="bell" size={14} />
          <span>{visible(item.text)}</span>
        </div>
      );
    case 'error':
      return (
        <div className="agor-fail-strip">
          <b>{visible(item.text)}</b>
        </div>
      );
  }
});

function Thought({ text, seconds, isStreaming }: { text: string; seconds: string; isStreaming: boolean }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <div className="agor-thought">
      <button type="button" className="agor-fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <Icon name={isOpen ? 'down' : 'right'} size={12} />
        <Icon name="thought" size={14} />
        <span>{isStreaming ? dialogTexts.transcript.thinking : dialogTexts.transcript.thoughtFor(seconds)}</span>
      </button>
      {isOpen && <Markdown text={text} />}
    </div>
  );
}

/** What the turn left in git, read from git. */
function TurnEnd({ turn }: { turn: Turn }) {
  const { client } = useApp();
  const { run, isRunning, problem } = useCommand();
  const [patch, setPatch] = useState<Patch | null>(null);
  const [isOpen, setOpen] = useState(false);
  const show = () => {
    setOpen(!isOpen);
    if (!patch && !isOpen) void run(async () => setPatch(await turns.patch(client, turn.id)));
  };
  const files = useMemo(() => (patch ? parsePatch(patch.text) : []), [patch]);
  return (
    <div className="agor-turn-end">
      {turn.files > 0 && (
        <button type="button" className="agor-fold" aria-expanded={isOpen} onClick={show}>
          <Icon name={isOpen ? 'down' : 'right'} size={12} />
          <Icon name="diff" size={14} />
          <span>{dialogTexts.transcript.changes}</span>
          <Changes added={turn.added} deleted={turn.deleted} />
          <span>{count(turn.files, 'file')}</span>
          {turn.commitAfter && turn.commitAfter !== turn.commitBefore && (
            <span>
              {dialogTexts.transcript.commit} <code>{turn.commitAfter.slice(0, 9)}</code>
            </span>
          )}
        </button>
      )}
      {isOpen && isRunning && <p className="agor-advice">{texts.transcript.loading}</p>}
      <Problem text={problem} />
      {isOpen && <Patched files={files} isCut={patch?.isCut ?? false} />}
    </div>
  );
}

export function Patched({ files, isCut }: { files: ReturnType<typeof parsePatch>; isCut: boolean }) {
  return (
    <>
      {files.map(file => (
        <FileBlock key={file.path} file={file} isOpenAtFirst={files.length <= 8} />
      ))}
      {isCut && <p className="agor-advice">{dialogTexts.transcript.isCut}</p>}
    </>
  );
}

function FileBlock({ file, isOpenAtFirst }: { file: ReturnType<typeof parsePatch>[number]; isOpenAtFirst: boolean }) {
  const [isOpen, setOpen] = useState(isOpenAtFirst);
  return (
    <div className="agor-tools">
      <button type="button" className="agor-tool" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <Icon name={isOpen ? 'down' : 'right'} size={14} />
        <code className="agor-ell">{visible(file.path)}</code>
        <span className="agor-grow" />
        <Changes added={file.added} deleted={file.deleted} />
      </button>
      {isOpen && <Diff file={file} />}
    </div>
  );
}
