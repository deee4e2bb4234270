// A worktree's card: full, compact and as a tile.

import type { Card } from '../../protocol/generated';
import { type CardContent, contentOf, type Step } from '../../store/cards';
import type { Foot } from '../../store/foot';
import { MARKS, type Mark } from '../../store/marks';
import { colorOf } from '../../store/presence';
import type { Row } from '../../store/rows';
import { standingOf, stateOf } from '../../store/standing';
import type { Action, Strip } from '../../store/strips';
import type { BoardState } from '../../store/types';
import { visible } from '../../store/visible';
import { texts } from '../../texts';
import { count } from '../../texts/counts';
import { mainSession } from '../input/sessions';
import { CARD } from '../layout/placement';
import { agentTile, avatar, h, icon, mark } from '../scene/dom';
import type { ObjectHost, ObjectView, Removal, Summary, ViewContext } from '../types';
import { environmentElement } from './card-environment';
import { heightOf } from './card-height';

const content = (id: string, card: Card, context: ViewContext): CardContent =>
  contentOf(
    card,
    { state: context.state, now: context.now, readers: context.readers, isUnfolded: context.isUnfolded(id), zoneName: context.zoneName },
    colorOf,
  );

const NOWHERE = '';

/** The state that a tile and the minimap show, without building the rest. */
const quickState = (card: Card, context: ViewContext): Mark => {
  const { state } = context;
  const worktree = state.worktrees.get(card.worktree);
  if (!worktree) return state.isLoaded ? 'missing' : 'idle';
  if (worktree.state === 'missing' || worktree.state === 'archived') return worktree.state;
  if (worktree.state === 'failed') return 'failed';
  if (worktree.state === 'creating') return 'starting';
  return MARKS[stateOf(worktree, state)];
};

/** “needs you”, “rejected by Ann”: what its mark says to those who do not see it. */
const spoken = (card: Card, { state }: ViewContext): string => {
  const worktree = state.worktrees.get(card.worktree);
  const label = worktree ? standingOf(worktree, state).label : state.isLoaded ? texts.standing.absent : texts.transcript.loading;
  return label.charAt(0).toLowerCase() + label.slice(1);
};

/** At the least detail only these have a glyph. */
const SPEAKS = new Set(['running', 'needs', 'failed']);

const button = (action: Action, isWaiting: boolean): HTMLElement =>
  h(
    'button',
    {
      type: 'button',
      class: `agor-btn agor-sm ${action.kind === 'plain' ? '' : `agor-${action.kind}`}`,
      'data-act': action.act,
      'data-of': action.id,
      'data-option': action.option,
      tabindex: -1,
      'aria-disabled': isWaiting ? 'true' : null,
    },
    action.icon ? icon(action.icon, 14) : null,
    action.text,
  );

const actions = (strip: Strip, isWaiting: boolean): HTMLElement =>
  h(
    'div',
    { class: 'agor-row agor-g4' },
    strip.actions.map(action => button(action, isWaiting)),
    h('span', { class: 'agor-grow' }),
    strip.when ? h('span', { class: 'agor-xs agor-t3' }, strip.when) : null,
  );

const stripElement = (strip: Strip, isWaiting: boolean): HTMLElement => {
  switch (strip.kind) {
    case 'ask':
      return h(
        'div',
        { class: 'agor-ask' },
        h('div', { class: 'agor-q' }, strip.title),
        strip.command ? h('pre', null, strip.command.slice(0, 600)) : h('p', null, strip.text.slice(0, 400)),
        actions(strip, isWaiting),
      );
    case 'fail':
    case 'rest':
      return h(
        'div',
        { class: `agor-${strip.kind}` },
        h('div', { class: 'agor-q' }, strip.title),
        strip.text ? h('p', null, strip.text.slice(0, 400)) : h('p', { class: 'agor-void' }),
        strip.actions.length ? actions(strip, isWaiting) : null,
      );
    case 'info':
      return h('div', { class: 'agor-info' }, icon('send', 14), h('span', null, strip.title));
    case 'plain':
      return h('div', { class: 'agor-plain' }, strip.text ? h('p', { class: 'agor-t2' }, strip.text.slice(0, 400)) : null, actions(strip, isWaiting));
  }
};

const rowElement = (row: Row, level: number): HTMLElement =>
  h(
    'li',
    {
      class: row.link === 'fork' ? 'agor-fork' : '',
      role: 'treeitem',
      'data-key': row.id,
      'aria-level': level,
      'aria-expanded': row.children.length ? 'true' : null,
    },
    h(
      'div',
      { class: 'agor-s', 'data-act': 'session', 'data-of': row.id, title: row.title },
      row.link === 'fork' ? h('span', { class: 'agor-fk', role: 'img', 'aria-label': 'Fork' }, icon('fork', 12)) : null,
      agentTile(row.icon, row.agent),
      h('span', { class: 'agor-n agor-ell' }, row.title),
      row.faces.map(avatar),
      h('span', { class: 'agor-w' }, row.when),
      mark(row.state.mark, row.state.label, 14),
    ),
    row.line
      ? h('span', { class: 'agor-s-l' }, row.line, row.isRunning ? h('i', { class: 'agor-caret agor-run', 'aria-hidden': 'true' }) : null)
      : null,
    row.children.length
      ? h(
          'ul',
          { role: 'group' },
          row.children.map(child => rowElement(child, level + 1)),
        )
      : null,
  );

const treeElement = (card: CardContent): HTMLElement | null =>
  card.rows.length === 0
    ? null
    : h(
        'ul',
        { class: 'agor-tree', role: 'tree', 'aria-label': 'Sessions' },
        card.rows.map(row => rowElement(row, 1)),
        card.folded > 0
          ? h(
              'li',
              { role: 'none', 'data-key': 'more' },
              h('button', { type: 'button', class: 'agor-s agor-t3', 'data-act': 'unfold', tabindex: -1 }, icon('down', 12), `${card.folded} more`),
            )
          : null,
      );

const stepElement = (step: Step): HTMLElement =>
  h(
    'li',
    { class: step.state === 'starting' ? 'agor-now' : '' },
    mark(step.state, step.state === 'done' ? 'Done' : step.state === 'starting' ? 'Now' : 'Later', 14),
    h('span', { class: 'agor-ell' }, step.text),
    h('span', { class: 'agor-grow' }),
    step.when ? h('span', { class: 'agor-xs agor-t3' }, step.when) : null,
  );

const FOOT_ACTIONS = [
  ['new-session', 'Session', 'plus'],
  ['prompt', 'Prompt', 'send'],
] as const;

const footElement = (foot: Foot, card: CardContent): HTMLElement =>
  h(
    'footer',
    { class: 'agor-card-f' },
    card.look === 'plain'
      ? h(
          'div',
          { class: 'agor-acts' },
          FOOT_ACTIONS.map(([act, text, symbol]) =>
            h(
              'button',
              { type: 'button', class: 'agor-btn agor-sm agor-ghost', 'data-act': act, 'data-of': card.worktreeId, tabindex: -1 },
              icon(symbol, 14),
              text,
            ),
          ),
          h('span', { class: 'agor-grow' }),
          h(
            'button',
            {
              type: 'button',
              class: 'agor-ib agor-sm',
              'data-act': 'changes',
              'data-of': card.worktreeId,
              'aria-label': 'Changes',
              title: 'Changes',
              tabindex: -1,
            },
            icon('diff'),
          ),
          h(
            'button',
            {
              type: 'button',
              class: 'agor-ib agor-sm',
              'data-act': 'archive',
              'data-of': card.worktreeId,
              'aria-label': 'Archive',
              title: 'Archive',
              tabindex: -1,
            },
            icon('archive'),
          ),
        )
      : null,
    h(
      'div',
      { class: 'agor-figures' },
      foot.changes
        ? [
            h(
              'span',
              { class: 'agor-mono' },
              h('span', { class: 'agor-plus' }, `+${foot.changes.added}`),
              ' ',
              h('span', { class: 'agor-minus' }, `−${foot.changes.deleted}`),
            ),
            h('span', null, count(foot.changes.files, 'file')),
          ]
        : foot.text
          ? h('span', null, foot.text)
          : null,
      foot.work ? h('span', { class: 'agor-ell agor-work', title: foot.works.join('\n') }, foot.work) : null,
      h('span', { class: 'agor-grow' }),
      foot.cost ? h('span', null, foot.cost) : null,
      foot.age ? h('span', null, foot.age) : null,
    ),
  );

const troubleElement = (trouble: ReturnType<ViewContext['trouble']>): HTMLElement | null =>
  trouble === null
    ? null
    : h(
        'div',
        { class: 'agor-fail', role: 'alert' },
        h('div', { class: 'agor-q' }, icon('st-failed', 14), trouble.title),
        h('p', null, trouble.text),
        h(
          'div',
          { class: 'agor-row' },
          h('button', { type: 'button', class: 'agor-btn agor-sm agor-ghost', 'data-act': 'dismiss', tabindex: -1 }, 'Dismiss'),
        ),
      );

const pillElement = (pill: CardContent['pills'][number]): HTMLElement =>
  pill.url
    ? h(
        'a',
        { class: 'agor-pill', href: pill.url, target: '_blank', rel: 'noopener noreferrer', 'aria-label': pill.name, title: pill.url, tabindex: -1 },
        pill.icon ? icon(pill.icon) : null,
        pill.text,
      )
    : h('span', { class: 'agor-pill', title: pill.name }, pill.icon ? icon(pill.icon) : null, pill.text);

/** Beside the branch, where there is room already: a lost connection moves nothing. */
const asOfElement = (text: string): HTMLElement => h('span', { class: 'agor-as-of', title: texts.connection.isLost }, icon('clock', 12), text);

const rootAttributes = (id: string, card: CardContent, detail: string): Record<string, string | number | null> => ({
  class: ['agor-card', `agor-${detail}`, card.state.mark === 'needs' ? 'agor-needs' : '', card.look === 'plain' ? '' : `agor-${card.look}`]
    .filter(Boolean)
    .join(' '),
  'aria-labelledby': `agor-t-${id}`,
  tabindex: -1,
});

const full = (id: string, card: CardContent, context: ViewContext): HTMLElement =>
  h(
    'article',
    rootAttributes(id, card, 'full'),
    h(
      'header',
      { class: 'agor-card-h' },
      mark(card.state.mark, card.state.label),
      h('h3', { class: 'agor-card-t', id: `agor-t-${id}` }, card.title),
      card.by ? avatar(card.by) : null,
    ),
    h(
      'div',
      { class: 'agor-card-m' },
      icon('branch', 12),
      h('code', { class: 'agor-ell', title: visible(card.branch) }, visible(card.branch)),
      card.drift ? h('span', { class: 'agor-drift' }, card.drift) : null,
      card.asOf ? asOfElement(card.asOf) : null,
    ),
    card.pills.length ? h('div', { class: 'agor-card-p' }, card.pills.map(pillElement)) : null,
    card.steps.length
      ? [
          h('div', { class: 'agor-prog agor-some', role: 'progressbar', 'aria-label': 'Creating' }, h('i', null)),
          h('ol', { class: 'agor-steps' }, card.steps.map(stepElement)),
        ]
      : null,
    treeElement(card),
    card.zone ? h('div', { class: 'agor-card-z' }, icon(card.zone.icon, 12), h('span', null, card.zone.text)) : null,
    card.environment ? environmentElement(card.environment, card.worktreeId, context.isWaiting(id)) : null,
    card.strip ? stripElement(card.strip, context.isWaiting(id)) : null,
    troubleElement(context.trouble(id)),
    card.foot?.inside ? h('div', { class: 'agor-inside', title: card.foot.works.join('\n') }, card.foot.inside) : null,
    card.foot ? footElement(card.foot, card) : h('div', { class: 'agor-end' }),
  );

const compact = (id: string, card: CardContent): HTMLElement =>
  h(
    'article',
    rootAttributes(id, card, 'compact'),
    h(
      'div',
      { class: 'agor-lines' },
      h('h3', { class: 'agor-card-t' }, mark(card.state.mark, card.state.label), h('span', { id: `agor-t-${id}` }, card.title)),
      h(
        'div',
        { class: 'agor-r2' },
        card.agents.map(agent => agentTile(agent.icon, agent.name)),
        h('span', { class: `agor-fact agor-fact-${card.factTone}` }, card.fact),
      ),
      card.strip?.kind === 'ask' && card.strip.command ? h('code', { class: 'agor-r3' }, card.strip.command.slice(0, 200)) : null,
    ),
  );

const tile = (card: Card, context: ViewContext): HTMLElement => {
  const state = quickState(card, context);
  const element = document.createElement('article');
  element.className = `agor-tile agor-${state}`;
  element.tabIndex = -1;
  element.setAttribute('aria-label', `${titleOf(card, context)}, ${spoken(card, context)}`);
  if (SPEAKS.has(state)) element.append(icon(`st-${state}`));
  return element;
};

const titleOf = (card: Card, context: ViewContext): string =>
  context.state.worktrees.get(card.worktree)?.name || card.title || visible(card.branch) || 'Untitled';

const summary = (object: Card, context: ViewContext): Summary => {
  const of = content(NOWHERE, object, context);
  return {
    mark: of.state.mark,
    title: of.title,
    fact: of.strip?.kind === 'ask' ? `${of.agents[0]?.name ?? 'An agent'} ${of.strip.title.toLowerCase()}` : of.fact,
  };
};

/** Opens what a card is about: its conversation, or the dialog that starts one; for whom and where there can be none, its worktree. */
const open = (object: Card, { state, commands, hint }: ObjectHost, focusPrompt = false): void => {
  const worktree = state.worktrees.get(object.worktree);
  const session = mainSession(object.worktree, state);
  if (!worktree) hint(texts.keys.no.absent(labelOf(object)));
  else if (worktree.state !== 'ready' || (!session && state.me?.role === 'viewer')) commands.openDiff(worktree.id);
  else if (session) commands.openSession(session, { focusPrompt });
  else commands.openDialog('session', { worktreeId: object.worktree });
};

/** A card goes when its worktree is archived. One whose worktree is not there, or put away, can be taken off the board. */
const removal = (object: Card, { worktrees, isLoaded }: BoardState): Removal => {
  const worktree = worktrees.get(object.worktree);
  if (!worktree) return isLoaded ? 'delete' : 'stay';
  return worktree.state === 'archived' || worktree.state === 'missing' ? 'take-off' : 'stay';
};

const labelOf = (object: Card): string => object.title || object.branch;

export const card: ObjectView<'card'> = {
  autoHeight: true,
  isContainer: false,
  isStacked: true,
  hasTip: true,
  canCopy: false,
  layoutHeight: () => CARD.height,
  color: () => null,
  edit: () => null,
  open: (_id, object, host, focusPrompt) => open(object, host, focusPrompt),
  worktree: object => ({ id: object.worktree, label: labelOf(object) }),
  searchText: (object, { worktrees }) => `${worktrees.get(object.worktree)?.name ?? object.title} ${object.branch} ${object.repo}`,
  removal,
  deleted: () => texts.keys.deleted.card,
  size: (object, context) => ({ width: CARD.width, height: heightOf(content(NOWHERE, object, context)) }),
  draw(id, object, context) {
    if (context.detail === 'tile') return tile(object, context);
    const of = content(id, object, context);
    return context.detail === 'full' ? full(id, of, context) : compact(id, of);
  },
  name: (object, context) => `${titleOf(object, context)}, ${spoken(object, context)}`,
  summary,
  dot: (object, context) => quickState(object, context),
  isTicking: (object, context) => content(NOWHERE, object, context).isTicking,
};
