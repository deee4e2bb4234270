// The bar over the board: title, filters, who is here, inbox, commands.
import { useEffect, useMemo, useRef } from 'react';

import type { BoardState, LocalState } from '../store/types.js';
import { texts } from '../texts.js';
import { useApp, useClient, useView } from './context.js';
import { Face, Icon } from './Icon.js';
import { usePeople } from './Readers.js';
import { visible } from './safe.js';

export function Bar() {
  const { client, commands, view, openInTab } = useApp();
  const { shared, board } = useClient();
  const { host, only, filter, isInboxOpen, isFullScreen } = useView();
  const people = usePeople();
  const counts = useMemo(() => countStates(shared), [shared]);
  const isCell = host === 'cell';
  const title = board?.getView().meta.title || nameOf(client.path);
  const chip = (value: LocalState['only'], label: string, n: number | null) => (
    <button type="button" className="agor-chip" aria-pressed={only === value} onClick={() => view.set({ only: value })}>
      {label}
      {n !== null && n > 0 && <b>{n}</b>}
    </button>
  );
  return (
    <header className="agor-bar" data-host={host}>
      <h1 className="agor-bar-title agor-ell" title={client.path}>
        {visible(title)}
      </h1>
      {isCell ? (
        <OnlyMenu />
      ) : (
        <div className="agor-chips" role="group" aria-label={texts.bar.show}>
          {chip('all', texts.bar.all, null)}
          {chip('needs', texts.bar.needs, counts.needs)}
          {chip('running', texts.bar.running, counts.running)}
          {chip('mine', texts.bar.mine, counts.mine)}
        </div>
      )}
      <FilterBox filter={filter} isNarrow={isCell} />
      <span className="agor-grow" />
      <span className="agor-faces" role="group" aria-label={texts.bar.here(people.length)}>
        {people.slice(0, isCell ? 3 : 6).map(({ person, isMe }) => (
          <Face key={person.username} person={person} isMe={isMe} />
        ))}
        {people.length > (isCell ? 3 : 6) && <span className="agor-face agor-face-more">+{people.length - (isCell ? 3 : 6)}</span>}
      </span>
      <button
        type="button"
        className={isCell ? 'agor-ib' : 'agor-btn agor-ghost'}
        aria-expanded={isInboxOpen}
        aria-label={texts.inbox.button(counts.needs)}
        onClick={() => commands.openInbox(!isInboxOpen)}
        data-inbox
      >
        <Icon name="inbox" />
        {!isCell && texts.inbox.title}
        {counts.needs > 0 && <span className="agor-count agor-need">{counts.needs}</span>}
      </button>
      <button
        type="button"
        className={isCell ? 'agor-ib' : 'agor-btn agor-ghost'}
        onClick={() => commands.openDialog('commands')}
        aria-label={texts.menu.open}
        title={texts.menu.open}
      >
        <Icon name="command" />
        {!isCell && <kbd className="agor-kbd">Ctrl K</kbd>}
      </button>
      {isCell && openInTab && (
        <button type="button" className="agor-ib" onClick={() => openInTab(client.path)} aria-label={texts.bar.tab} title={texts.bar.tab}>
          <Icon name="external" />
        </button>
      )}
      {isCell && (
        <button
          type="button"
          className="agor-ib"
          aria-pressed={isFullScreen}
          onClick={() => view.set({ isFullScreen: !isFullScreen })}
          aria-label={texts.bar.full}
          title={texts.bar.full}
        >
          <Icon name="expand" />
        </button>
      )}
    </header>
  );
}

function FilterBox({ filter, isNarrow }: { filter: string; isNarrow: boolean }) {
  const { view } = useApp();
  const ref = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // Escape in the box clears it; the board's own Escape must not see it.
    const element = ref.current;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      view.set({ filter: '' });
      element?.blur();
    };
    element?.addEventListener('keydown', onKeyDown);
    return () => element?.removeEventListener('keydown', onKeyDown);
  }, [view]);
  return (
    <label className={`agor-filter${isNarrow ? ' agor-narrow' : ''}`}>
      <Icon name="search" size={14} />
      <input
        ref={ref}
        data-filter
        type="search"
        value={filter}
        placeholder={texts.bar.filter}
        aria-label={texts.bar.filter}
        onChange={event => view.set({ filter: event.target.value })}
      />
      {!filter && <kbd className="agor-kbd">/</kbd>}
    </label>
  );
}

function OnlyMenu() {
  const { view } = useApp();
  const { only } = useView();
  return (
    <select
      className="agor-select agor-sm"
      value={only}
      aria-label={texts.bar.show}
      onChange={event => view.set({ only: event.target.value as LocalState['only'] })}
    >
      <option value="all">{texts.bar.all}</option>
      <option value="needs">{texts.bar.needs}</option>
      <option value="running">{texts.bar.running}</option>
      <option value="mine">{texts.bar.mine}</option>
    </select>
  );
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1).replace(/\.agor$/, '');

export function countStates(shared: BoardState): { needs: number; running: number; mine: number } {
  let running = 0;
  let mine = 0;
  const me = shared.me?.person.username;
  for (const session of shared.sessions.values()) {
    if (session.archivedAt !== null) continue;
    if (session.state === 'running' || session.state === 'starting') running += 1;
  }
  for (const worktree of shared.worktrees.values()) if (worktree.createdBy.username === me && worktree.state !== 'archived') mine += 1;
  return { needs: shared.permissions.size, running, mine };
}
