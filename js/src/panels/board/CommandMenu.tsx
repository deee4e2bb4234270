// Ctrl K: find a card, a session, an action, or a turn by what was said in it, by typing.
import { type KeyboardEvent, type ReactNode, useId, useMemo, useState } from 'react';

import type { IconName } from '../../icons.js';
import { plain } from '../../store/plain.js';
import { sessionWords } from '../../store/standing.js';
import { dialogTexts, texts } from '../../texts';
import { Icon, Mark, type MarkState } from '../common/Icon.js';
import { visible } from '../common/safe.js';
import { useFocusTrap } from '../common/trap.js';
import { agentLabel, canSteer, useApp, useShared } from '../context.js';
import { revealTurn } from '../transcript/reveal.js';
import { useZones } from '../zone/zones.js';
import { lineOf, useTurnsFound } from './search.js';

interface Entry {
  readonly id: string;
  readonly section: string;
  readonly label: string;
  readonly detail: ReactNode;
  readonly icon?: IconName;
  readonly mark?: MarkState;
  readonly keys?: string;
  readonly run: () => void;
}

const PER_SECTION = 6;

export function CommandMenu() {
  const { commands } = useApp();
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState(0);
  const entries = useEntries(query);
  const trap = useFocusTrap(() => commands.closeDialog());
  const list = useId();
  const at = Math.min(chosen, Math.max(0, entries.length - 1));
  const pick = (entry: Entry | undefined) => {
    if (!entry) return;
    commands.closeDialog();
    entry.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const next = (at + (event.key === 'ArrowDown' ? 1 : -1) + entries.length) % Math.max(1, entries.length);
      setChosen(next);
      document.getElementById(`${list}-${next}`)?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter') {
      event.preventDefault();
      pick(entries[at]);
    } else trap.onKeyDown(event);
  };
  return (
    <div className="agor-scrim agor-scrim-top" onPointerDown={event => event.target === event.currentTarget && commands.closeDialog()}>
      <div ref={trap.ref} className="agor-popover agor-menu" role="dialog" aria-modal="true" aria-label={texts.menu.open} onKeyDown={onKeyDown}>
        <div className="agor-menu-search">
          <Icon name="search" />
          <input
            data-autofocus
            role="combobox"
            aria-expanded="true"
            aria-controls={list}
            aria-activedescendant={entries.length ? `${list}-${at}` : undefined}
            placeholder={dialogTexts.search.placeholder}
            aria-label={dialogTexts.search.placeholder}
            value={query}
            onChange={event => {
              setQuery(event.target.value);
              setChosen(0);
            }}
          />
          <kbd className="agor-kbd">Esc</kbd>
        </div>
        <div id={list} role="listbox" aria-label={texts.menu.open} className="agor-menu-list">
          {entries.map((entry, index) => (
            <div key={entry.id}>
              {entry.section !== entries[index - 1]?.section && <div className="agor-section">{entry.section}</div>}
              {/* biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the field, aria-activedescendant points here */}
              {/* biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field */}
              <div
                id={`${list}-${index}`}
                role="option"
                aria-selected={index === at}
                className="agor-menu-item"
                onPointerMove={() => setChosen(index)}
                onClick={() => pick(entry)}
              >
                {entry.mark ? <Mark state={entry.mark} /> : <Icon name={entry.icon ?? 'card'} />}
                <span className="agor-ell">{visible(entry.label)}</span>
                <span className="agor-ell agor-t3 agor-grow">{typeof entry.detail === 'string' ? visible(entry.detail) : entry.detail}</span>
                {entry.keys && <kbd className="agor-kbd">{entry.keys}</kbd>}
              </div>
            </div>
          ))}
          {!entries.length && <p className="agor-nothing">{dialogTexts.menu.nothing}</p>}
        </div>
      </div>
    </div>
  );
}

function useEntries(query: string): Entry[] {
  const { commands, view } = useApp();
  const shared = useShared();
  const found = useTurnsFound(query);
  const zones = useZones();
  return useMemo(() => {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const matches = (...parts: string[]) => words.every(word => parts.some(part => part.toLowerCase().includes(word)));
    const cards: Entry[] = [...shared.worktrees.values()]
      .filter(worktree => worktree.state !== 'archived' && matches(worktree.name, worktree.branch))
      .slice(0, PER_SECTION)
      .map(worktree => ({
        id: worktree.id,
        section: dialogTexts.menu.cards,
        label: worktree.name,
        detail: worktree.branch,
        icon: 'card',
        run: () => commands.openDiff(worktree.id),
      }));
    const sessions: Entry[] = [...shared.sessions.values()]
      .filter(session => session.archivedAt === null && matches(session.title, agentLabel(shared, session.agent)))
      .slice(0, PER_SECTION)
      .map(session => ({
        id: session.id,
        section: dialogTexts.menu.sessions,
        label: plain(session.title) || texts.panel.untitled,
        detail: `${shared.worktrees.get(session.worktreeId)?.name ?? ''}, ${sessionWords(session, shared).toLowerCase()}`,
        mark: session.state,
        run: () => commands.openSession(session.id),
      }));
    const actions: Entry[] = [
      ...(canSteer(shared)
        ? ([
            { id: 'worktree', label: dialogTexts.worktree.new, icon: 'plus', keys: 'W', run: () => commands.openDialog('worktree') },
            { id: 'repo', label: dialogTexts.repo.add, icon: 'folder', run: () => commands.openDialog('repo') },
            { id: 'variables', label: texts.menu.variables, icon: 'list', run: () => commands.openDialog('variables') },
            { id: 'destinations', label: texts.menu.destinations, icon: 'inbox', run: () => commands.openDialog('destinations') },
          ] as const)
        : []),
      { id: 'schedules', label: dialogTexts.schedules.title, icon: 'clock' as const, run: () => commands.openDialog('schedules') },
      { id: 'inbox', label: texts.inbox.title, icon: 'inbox' as const, keys: 'G I', run: () => commands.openInbox(true) },
      { id: 'tokens', label: texts.menu.tokens, icon: 'link' as const, run: () => commands.openDialog('tokens') },
      { id: 'agents', label: texts.agents.title, icon: 'terminal' as const, run: () => commands.openDialog('agents') },
      { id: 'budget', label: texts.menu.boardBudget, icon: 'coin' as const, run: () => commands.openDialog('budget') },
      { id: 'checks', label: texts.menu.checks, icon: 'check' as const, run: () => commands.openDialog('checks') },
      { id: 'filter', label: dialogTexts.menu.filterBy(query), icon: 'filter' as const, keys: '/', run: () => view.set({ filter: query }) },
      { id: 'keys', label: texts.keys.title, icon: 'command' as const, keys: '?', run: () => commands.openDialog('keys') },
    ]
      .filter(action => action.id === 'filter' || matches(action.label))
      .map(action => ({ detail: '', ...action, section: dialogTexts.menu.actions }));
    const ofZones: Entry[] = zones
      .flatMap(({ id, zone }) => [
        {
          id: `${id}/settings`,
          section: dialogTexts.zone.menu.section,
          label: dialogTexts.zone.menu.settings(zone.name),
          detail: '',
          icon: 'bolt' as const,
          run: () => commands.openDialog('zone', { zoneId: id }),
        },
        {
          id: `${id}/history`,
          section: dialogTexts.zone.menu.section,
          label: dialogTexts.zone.menu.history(zone.name),
          detail: '',
          icon: 'list' as const,
          run: () => commands.openDialog('firings', { zoneId: id }),
        },
      ])
      .filter(entry => words.length > 0 && matches(entry.label))
      .slice(0, PER_SECTION);
    const turns: Entry[] = found.map(hit => ({
      id: hit.turnId ?? hit.sessionId,
      section: dialogTexts.search.turns,
      label: dialogTexts.search.turn(plain(hit.title), hit.turnNumber ?? 0),
      detail: lineOf(hit).map((part, place) => (part.isMatch ? <mark key={place}>{visible(part.text)}</mark> : visible(part.text))),
      mark: hit.state ?? 'done',
      run: () => {
        if (hit.turnId) revealTurn(view, { sessionId: hit.sessionId, turnId: hit.turnId });
        commands.openSession(hit.sessionId);
      },
    }));
    return [...cards, ...sessions, ...ofZones, ...actions, ...turns];
  }, [commands, view, shared, query, found, zones]);
}
