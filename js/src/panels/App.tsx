// A board with its bar and panel, the same in a tab, a cell and a page.
import { type KeyboardEvent, type PointerEvent as ReactPointerEvent, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';

import { Canvas } from '../canvas/Canvas.js';
import type { Stage } from '../canvas/stage.js';
import type { BoardClient } from '../session/client.js';
import { createCommands, type HostSkills } from '../session/commands.js';
import { ViewStore } from '../session/view.js';
import { cardOf } from '../store/objects.js';
import type { BoardDoc, BoardState, Dialog, LocalState } from '../store/types.js';
import { texts } from '../texts';
import { Announcer } from './board/Announcer.js';
import { Aside } from './board/Aside.js';
import { Banner } from './board/Banner.js';
import { Bar } from './board/Bar.js';
import { Opening } from './board/Opening.js';
import { Toasts } from './board/Toasts.js';
import { Icon } from './common/Icon.js';
import { useGlobalKeys } from './common/keys.js';
import { type AppContext, Context, useApp, useClient, useView } from './context.js';
import { type LoadLater, useLater } from './later.js';

/** Below this the panel takes the whole view. */
const NARROW = 900;
const SMALL_BAR = 780;

export interface AppProps {
  readonly client: BoardClient;
  readonly host: 'cell' | 'tab' | 'page';
  readonly openInTab: ((path: string) => void) | null;
  readonly openTerminal: AppContext['openTerminal'];
  readonly openNotebook?: AppContext['openNotebook'];
  readonly openPage?: HostSkills['openPage'];
  readonly loadLater: LoadLater;
  /** What is open at first. */
  readonly start?: Partial<LocalState>;
}

export function App({ client, host, openInTab, openTerminal, openNotebook = null, openPage = null, loadLater, start }: AppProps) {
  const context = useMemo<AppContext>(() => {
    const view = new ViewStore(host);
    if (start) view.set(start);
    return { client, view, commands: createCommands(client, view, { openPage }), openInTab, openTerminal, openNotebook };
    // What is open at first is asked for once.
  }, [client, host, openInTab, openTerminal, openNotebook, openPage]);
  return (
    <Context.Provider value={context}>
      <Shell loadLater={loadLater} />
    </Context.Provider>
  );
}

function Shell({ loadLater }: { loadLater: LoadLater }) {
  const { client, commands } = useApp();
  const state = useClient();
  const local = useView();
  const root = useRef<HTMLDivElement>(null);
  const width = useWidth(root);
  const isNarrow = width < NARROW;
  // On a full screen there is the room of a page, and what a page has.
  const host = local.isFullScreen ? 'page' : local.host;
  const seen = useMemo(() => (host === local.host ? local : { ...local, host }), [local, host]);
  useFullScreen(root);
  useReading(local.openDiffId ? null : local.openSessionId);
  const [stage, setStage] = useState<Stage | null>(null);
  const opened = worktreeOf(local.openDiffId, local.openSessionId, state.shared);
  const shownLast = useRef(opened);
  if (opened) shownLast.current = opened;
  const focusBoard = () => {
    const card = shownLast.current && state.board ? cardOf(state.board.getView().objects, shownLast.current)?.[0] : undefined;
    if (card) stage?.focus(card);
    else root.current?.querySelector<HTMLElement>('.agor-board')?.focus({ preventScroll: true });
  };
  const onKeyDown = useKeys();
  useSyncExternalStore(state.board?.subscribe ?? never, () => state.board?.getView() ?? null);

  const session = local.openSessionId ? state.shared.sessions.get(local.openSessionId) : undefined;
  const worktree = local.openDiffId ? state.shared.worktrees.get(local.openDiffId) : undefined;
  const isPanelOpen = session !== undefined || worktree !== undefined;
  const later = useLater(loadLater, state.shared.isLoaded, isPanelOpen || local.isInboxOpen || local.dialog !== null);
  const onKeyDownCapture = useGlobalKeys(
    key => {
      if (key === 'inbox') return commands.openInbox(true);
      if (key === 'commands' || key === 'keys') return commands.openDialog(key);
      // What lies over the board gives the focus back before it goes elsewhere.
      commands.openInbox(false);
      if (key === 'next-need' && isNarrow) commands.closePanel();
      setTimeout(() => {
        const filter = root.current?.querySelector<HTMLElement>('[data-filter]');
        if (key === 'next-need') stage?.nextNeed();
        else if (filter?.tagName === 'INPUT') filter.focus();
        else filter?.click();
      });
    },
    () => local.dialog !== null,
  );
  // Where it shall lie is asked for when the dialog opens, whoever opened it.
  const dialog = useMemo(() => placed(local.dialog, stage), [local.dialog, stage]);
  useEffect(() => {
    // The keyboard was given to the view before there was a board in it.
    if (stage && root.current && document.activeElement === root.current.parentElement) stage.root.focus({ preventScroll: true });
  }, [stage]);
  useEffect(() => {
    if (stage && later) stage.equip(later);
  }, [stage, later]);
  useEffect(() => {
    if (later) client.equip(of => new later.EnvironmentFinder(of));
  }, [client, later]);
  useShown(stage, state.board, worktree?.id ?? session?.worktreeId ?? null);
  const className = `agor agor-app${local.isFullScreen ? ' agor-full' : ''}${isNarrow ? ' agor-narrow-view' : ''}${state.readOnlyReason ? ' agor-unread' : ''}`;
  return (
    <div ref={root} className={className} data-host={host} data-board={client.path} onKeyDown={onKeyDown} onKeyDownCapture={onKeyDownCapture}>
      <Bar isSmall={host === 'cell' || width < SMALL_BAR} look={at => stage?.lookAt(at)} />
      <Banner />
      <div className="agor-main">
        <div className="agor-board-box" inert={isNarrow && isPanelOpen ? '' : undefined}>
          {state.board && state.shared.isLoaded ? (
            <Canvas board={state.board} state={state.shared} local={seen} commands={commands} stageRef={setStage} />
          ) : (
            <Opening />
          )}
        </div>
        {isPanelOpen && (
          <Aside
            shown={worktree?.id ?? session?.id ?? ''}
            label={worktree ? texts.panel.worktreeLabel : texts.panel.label}
            width={isNarrow ? undefined : local.panelWidth}
            onFocusLost={focusBoard}
          >
            {!isNarrow && <ResizeHandle />}
            {!later && <p className="agor-nothing">{texts.transcript.loading}</p>}
            {later && worktree && <later.WorktreePanel key={worktree.id} worktree={worktree} />}
            {later && !worktree && session && <later.SessionPanel key={session.id} session={session} />}
          </Aside>
        )}
      </div>
      {later && local.isInboxOpen && <later.Inbox />}
      {later && dialog && <later.Dialogs dialog={dialog} />}
      <Toasts />
      <Announcer />
      {local.host === 'cell' && !local.isFullScreen && <CellGrip root={root} />}
    </div>
  );
}

const never = () => () => undefined;

/** `inert` is not among React 18's attributes. */
declare module 'react' {
  interface HTMLAttributes<T> {
    inert?: '' | undefined;
  }
}

const placed = (dialog: Dialog | null, stage: Stage | null): Dialog | null =>
  dialog?.name === 'worktree' && !dialog.at && stage ? { ...dialog, at: stage.place() } : dialog;

const worktreeOf = (diffId: string | null, sessionId: string | null, shared: BoardState): string | null =>
  diffId ?? (sessionId === null ? null : (shared.sessions.get(sessionId)?.worktreeId ?? null));

/** The card of what the panel shows is selected, however it came there, and stays in view when the panel takes its place. */
function useShown(stage: Stage | null, board: BoardDoc | null, worktreeId: string | null): void {
  const { view } = useApp();
  useEffect(() => {
    if (!stage || !board || !worktreeId) return;
    const found = cardOf(board.getView().objects, worktreeId)?.[0];
    if (found === undefined) return;
    if (!view.getState().selection.has(found)) view.set({ selection: new Set([found]) });
    // Once the board has its new width.
    const timer = setTimeout(() => stage.show(found), 60);
    return () => clearTimeout(timer);
  }, [stage, board, view, worktreeId]);
}

/** The whole screen by the browser's own means: nothing around a cell can crop it. */
function useFullScreen(root: React.RefObject<HTMLElement>): void {
  const { view } = useApp();
  const { isFullScreen } = useView();
  useEffect(() => {
    const element = root.current;
    const isNow = document.fullscreenElement === element;
    if (isFullScreen && !isNow) element?.requestFullscreen().catch(() => view.set({ isFullScreen: false }));
    else if (!isFullScreen && isNow) void document.exitFullscreen();
  }, [root, view, isFullScreen]);
  useEffect(() => {
    const follow = () => view.set({ isFullScreen: document.fullscreenElement !== null && document.fullscreenElement === root.current });
    document.addEventListener('fullscreenchange', follow);
    return () => document.removeEventListener('fullscreenchange', follow);
  }, [root, view]);
}

function useWidth(ref: React.RefObject<HTMLElement>): number {
  const [width, setWidth] = useState(Number.POSITIVE_INFINITY);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => entry && entry.contentRect.width > 0 && setWidth(entry.contentRect.width));
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return width;
}

/** Colleagues see which session one reads. */
function useReading(sessionId: string | null): void {
  const awareness = useClient().board?.awareness ?? null;
  useEffect(() => {
    awareness?.setLocalStateField('reading', sessionId);
  }, [awareness, sessionId]);
}

/** Keys that are left over: Escape closes the panel, and what is plainly a letter of this view does not reach the notebook around it. */
function useKeys() {
  const { view, commands } = useApp();
  return (event: KeyboardEvent) => {
    if (event.defaultPrevented) return;
    const { dialog, openSessionId, openDiffId } = view.getState();
    if (event.key === 'Escape' && !dialog && (openSessionId || openDiffId) && !(event.target instanceof HTMLInputElement)) {
      event.preventDefault();
      commands.closePanel();
    }
    if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
    if (event.key === 'Escape') event.stopPropagation();
  };
}

function ResizeHandle() {
  const { view } = useApp();
  const { panelWidth } = useView();
  const start = (event: ReactPointerEvent<HTMLDivElement>) => {
    event.preventDefault();
    const handle = event.currentTarget;
    const from = event.clientX;
    const width = view.getState().panelWidth;
    handle.setPointerCapture(event.pointerId);
    const move = (next: PointerEvent) => view.resizePanel(width + from - next.clientX);
    const stop = () => {
      handle.removeEventListener('pointermove', move);
      handle.removeEventListener('pointerup', stop);
      handle.removeEventListener('pointercancel', stop);
    };
    handle.addEventListener('pointermove', move);
    handle.addEventListener('pointerup', stop);
    handle.addEventListener('pointercancel', stop);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    event.preventDefault();
    event.stopPropagation();
    view.resizePanel(panelWidth + (event.key === 'ArrowLeft' ? 20 : -20));
  };
  return (
    <div
      className="agor-resize"
      role="separator"
      aria-orientation="vertical"
      aria-label={texts.panel.resize}
      aria-valuenow={panelWidth}
      aria-valuemin={360}
      aria-valuemax={720}
      tabIndex={0}
      onPointerDown={start}
      onKeyDown={onKeyDown}
    />
  );
}

/** A cell's height is dragged at its corner. */
function CellGrip({ root }: { root: React.RefObject<HTMLElement> }) {
  const start = (event: ReactPointerEvent<HTMLDivElement>) => {
    const element = root.current;
    if (!element) return;
    event.preventDefault();
    event.stopPropagation();
    const grip = event.currentTarget;
    const from = event.clientY;
    const height = element.clientHeight;
    grip.setPointerCapture(event.pointerId);
    const move = (next: PointerEvent) => {
      element.style.height = `${Math.min(2000, Math.max(240, height + next.clientY - from))}px`;
    };
    const stop = () => {
      grip.removeEventListener('pointermove', move);
      grip.removeEventListener('pointerup', stop);
      grip.removeEventListener('pointercancel', stop);
    };
    grip.addEventListener('pointermove', move);
    grip.addEventListener('pointerup', stop);
    grip.addEventListener('pointercancel', stop);
  };
  return (
    <div className="agor-cell-grip" onPointerDown={start} title={texts.host.resize} aria-hidden="true">
      <Icon name="resize" size={12} />
    </div>
  );
}
