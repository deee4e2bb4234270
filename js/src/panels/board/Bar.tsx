// The bar over the board: title, filters, who is here, inbox, commands.
import { useEffect, useMemo, useRef, useState } from 'react';

import { type Counts, countsOf } from '../../store/standing.js';
import type { LocalState } from '../../store/types.js';
import { texts } from '../../texts';
import { Icon } from '../common/Icon.js';
import { MenuButton } from '../common/Menu.js';
import { visible } from '../common/safe.js';
import { useFocusTrap } from '../common/trap.js';
import { canSteer, useApp, useClient, useView } from '../context.js';
import { type Look, People } from './People.js';

/** `isSmall`: the filters are behind a button, and other buttons are icons. `look`: where a colleague looks. */
export function Bar({ isSmall, look }: { isSmall: boolean; look: Look }) {
  const { client, commands, view, openInTab } = useApp();
  const { shared, board } = useClient();
  const { host, filter, isInboxOpen, isFullScreen } = useView();
  const counts = useMemo(() => countsOf(client.path, shared), [client.path, shared]);
  const isCell = host === 'cell';
  const title = board?.getView().meta.title || nameOf(client.path);
  return (
    <header className="agor-bar" data-host={isFullScreen ? 'page' : host}>
      <h1 className="agor-bar-title agor-ell" title={client.path}>
        {visible(title)}
      </h1>
      {!isSmall && (
        <>
          <Chips counts={counts} />
          <FilterBox filter={filter} />
        </>
      )}
      <span className="agor-grow" />
      {isSmall && <FilterMenu counts={counts} />}
      <People limit={isSmall ? 3 : 6} look={look} />
      <button
        type="button"
        className={isSmall ? 'agor-ib' : 'agor-btn agor-ghost'}
        aria-expanded={isInboxOpen}
        aria-label={texts.inbox.button(counts.needs)}
        onClick={() => commands.openInbox(!isInboxOpen)}
        data-inbox
      >
        <Icon name="inbox" />
        {!isSmall && texts.inbox.title}
        {counts.needs > 0 && <span className="agor-count agor-need">{counts.needs}</span>}
      </button>
      <button
        type="button"
        className={isSmall ? 'agor-ib' : 'agor-btn agor-ghost'}
        onClick={() => commands.openDialog('commands')}
        aria-label={texts.menu.open}
        title={texts.menu.open}
      >
        <Icon name="command" />
        {!isSmall && <kbd className="agor-kbd">Ctrl K</kbd>}
      </button>
      <BarMenu />
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

/** What is neither of one card nor of one session. */
function BarMenu() {
  const { commands } = useApp();
  const { shared } = useClient();
  const items = [
    { id: 'schedules', label: texts.menu.schedules, icon: 'clock' as const, run: () => commands.openDialog('schedules') },
    { id: 'agents', label: texts.agents.title, icon: 'terminal' as const, run: () => commands.openDialog('agents') },
    ...(canSteer(shared)
      ? [
          { id: 'variables', label: texts.menu.variables, icon: 'list' as const, run: () => commands.openDialog('variables') },
          { id: 'destinations', label: texts.menu.destinations, icon: 'inbox' as const, run: () => commands.openDialog('destinations') },
        ]
      : []),
    { id: 'tokens', label: texts.menu.tokens, icon: 'link' as const, run: () => commands.openDialog('tokens') },
    { id: 'budget', label: texts.menu.boardBudget, icon: 'coin' as const, run: () => commands.openDialog('budget') },
    { id: 'checks', label: texts.menu.checks, icon: 'check' as const, run: () => commands.openDialog('checks') },
    { id: 'keys', label: texts.keys.title, icon: 'command' as const, run: () => commands.openDialog('keys') },
  ];
  return (
    <MenuButton className="agor-ib" label={texts.panel.more} items={items}>
      <Icon name="more" />
    </MenuButton>
  );
}

function FilterBox({ filter }: { filter: string }) {
  const { view } = useApp();
  const ref = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // Escape in the box clears it; the board's own Escape must not see it.
    const element = ref.current;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || (!element?.value && element?.closest('.agor-popover'))) return;
      event.stopPropagation();
      view.set({ filter: '' });
      element?.blur();
    };
    element?.addEventListener('keydown', onKeyDown);
    return () => element?.removeEventListener('keydown', onKeyDown);
  }, [view]);
  return (
    <label className="agor-filter">
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

/** Where the bar has no room, the filters are behind one button. */
function FilterMenu({ counts }: { counts: Counts }) {
  const { filter, only } = useView();
  const [isOpen, setOpen] = useState(false);
  const isOn = filter !== '' || only !== 'all';
  return (
    <>
      <button
        type="button"
        className="agor-ib"
        aria-expanded={isOpen}
        aria-label={isOn ? texts.bar.filterOn : texts.bar.filter}
        title={texts.bar.filter}
        onClick={() => setOpen(!isOpen)}
        data-filter={isOpen ? undefined : ''}
        data-on={isOn || undefined}
      >
        <Icon name="filter" />
      </button>
      {isOpen && <FilterPopover counts={counts} onClose={() => setOpen(false)} />}
    </>
  );
}

function FilterPopover({ counts, onClose }: { counts: Counts; onClose: () => void }) {
  const { filter } = useView();
  const trap = useFocusTrap(onClose, true);
  return (
    <div ref={trap.ref} className="agor-popover agor-filters" role="dialog" aria-label={texts.bar.filter} onKeyDown={trap.onKeyDown}>
      <FilterBox filter={filter} />
      <Chips counts={counts} />
    </div>
  );
}

function Chips({ counts }: { counts: Counts }) {
  const { view } = useApp();
  const { only } = useView();
  const chip = (value: LocalState['only'], label: string, n: number) => (
    <button type="button" className="agor-chip" aria-pressed={only === value} onClick={() => view.set({ only: value })}>
      {value === 'needs' && n > 0 && <Icon name="st-needs" size={14} />}
      {label}
      {n > 0 && <b>{n}</b>}
    </button>
  );
  return (
    <div className="agor-chips" role="group" aria-label={texts.bar.show}>
      {chip('all', texts.bar.all, 0)}
      {chip('needs', texts.bar.needs, counts.needs)}
      {chip('running', texts.bar.running, counts.running)}
      {chip('mine', texts.bar.mine, counts.mine)}
    </div>
  );
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1).replace(/\.agor$/, '');
