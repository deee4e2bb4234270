// A zone: a named rectangle that carries the cards in it. Its head says what happens to a card that is dropped there.
import type { Zone } from '../../protocol/generated';
import { workIn } from '../../store/firings';
import { unreadableField } from '../../store/objects';
import { firstCommand, hasTrigger, policyWords, starts, type Words } from '../../store/policy';
import { texts } from '../../texts';
import { money } from '../../texts/money';
import { h, icon } from '../scene/dom';
import type { Box, ObjectView, ViewContext } from '../types';
import { cssColor } from './colors';

/** One that is pressed and not drawn. */
export const ZONE_SIZE = { width: 296, height: 560 };
/** An arrow leads to the next zone where that is near; the words say it anyway. */
const NEAR = 480;
const LEAST_GAP = 10;
/** The arrow is at the height of the name. */
const NAME_AT = 28;

export const newZone = (box: Box): Zone => ({ kind: 'zone', ...box, name: 'Zone', color: '', policy: null });

const wordsElement = ({ icon: name, text, isCode, tone }: Words): HTMLElement =>
  h('span', { class: tone ? `agor-${tone}-text` : null }, name ? icon(name, 12) : null, isCode ? h('code', null, text) : text);

const unreadable = (zone: Zone): Words[] => {
  const field = unreadableField(zone);
  return field ? [{ icon: null, text: texts.zone.unreadable(field), tone: 'fail' }] : [];
};

/** Nothing starts here until somebody raises it. */
const usedUp = (id: string, zone: Zone, { state }: ViewContext): { spent: string; hard: string } | null => {
  const { board } = workIn(id, state);
  if (!board || !starts(zone.policy)) return null;
  for (const { scope, subject, state: is, spentUsd, hardUsd } of state.budgets.values())
    if (scope === 'board' && subject === board && is === 'exhausted') return { spent: money(spentUsd), hard: money(hardUsd ?? spentUsd) };
  return null;
};

const headWords = (id: string, zone: Zone, context: ViewContext): readonly (HTMLElement | string)[] => {
  const budget = usedUp(id, zone, context);
  if (budget) {
    const waiting = texts.zone.budgetWaits(workIn(id, context.state).waiting);
    return [
      wordsElement({ icon: 'coin', text: texts.zone.overBudget(budget.spent, budget.hard), tone: 'need' }),
      waiting ? h('span', null, waiting) : '',
      context.state.me?.role === 'owner'
        ? h('button', { type: 'button', class: 'agor-zone-raise', 'data-act': 'budget', 'data-of': '', tabindex: -1 }, texts.budget.raise)
        : '',
    ];
  }
  const { limit } = zone.policy ?? { limit: null };
  const words = unreadableField(zone)
    ? unreadable(zone)
    : zone.policy
      ? policyWords(zone.policy, context)
      : [{ icon: null, text: texts.zone.noTrigger }];
  const atOnce = limit !== null && !isCounted(id, zone, context) ? [h('span', null, texts.zone.atOnce(limit))] : [];
  return [...words.map(wordsElement), ...atOnce];
};

/** Its count is of those in work, of as many as may be. */
const isCounted = (id: string, { policy }: Zone, { state }: ViewContext): boolean => {
  const { inWork, waiting } = workIn(id, state);
  return policy?.limit != null && inWork + waiting > 0;
};

const countElement = (id: string, zone: Zone, context: ViewContext): HTMLElement => {
  const { cards, needs } = context.countIn(id);
  const { inWork, waiting } = workIn(id, context.state);
  const limit = zone.policy?.limit ?? null;
  const isOf = limit !== null && isCounted(id, zone, context);
  return h(
    'span',
    {
      class: `agor-lim${isOf && inWork >= limit ? ' agor-lim-full' : ''}`,
      'aria-label': texts.zone.counted(cards, needs) + (isOf ? texts.zone.countedWork(inWork, limit, waiting) : ''),
    },
    isOf ? texts.zone.of(inWork, limit) : String(cards),
    waiting ? h('span', { class: 'agor-lim-more' }, texts.zone.andWaiting(waiting)) : null,
  );
};

const emptyElement = (zone: Zone, { state }: ViewContext): HTMLElement => {
  const { policy } = zone;
  if (!policy || !hasTrigger(policy)) return h('p', { class: 'agor-zone-empty' }, texts.zone.sorts);
  if (!policy.isOn) return h('p', { class: 'agor-zone-empty' }, texts.zone.dropOff);
  if (policy.isPaused) return h('p', { class: 'agor-zone-empty' }, texts.zone.dropToWait);
  const agent = state.agents.get(policy.agent)?.agent;
  const command = policy.prompt.trim() ? (agent?.isBuiltin ? firstCommand(policy.prompt) : '') : (policy.gates[0]?.run.split('\n', 1)[0] ?? '');
  if (command) return h('p', { class: 'agor-zone-empty' }, icon('card'), texts.zone.dropToRun, h('br', null), h('code', null, command.slice(0, 120)));
  if (policy.target === 'ask' || policy.asksFirst) return h('p', { class: 'agor-zone-empty' }, icon('card'), texts.zone.dropToAsk);
  return h('p', { class: 'agor-zone-empty' }, icon('card'), texts.zone.dropToStart(agent?.label ?? texts.zone.defaultAgent));
};

/** From its edge to that of the next zone, as a line that is turned. */
const arrowElement = (id: string, zone: Zone, context: ViewContext): HTMLElement | null => {
  const next = zone.policy?.next ?? null;
  const from = context.boxOf(id);
  const to = next === null || next === id || !starts(zone.policy) ? null : context.boxOf(next);
  if (!from || !to) return null;
  const ends = endsOf(from, to);
  const [dx, dy] = [ends.to.x - ends.from.x, ends.to.y - ends.from.y];
  const length = Math.hypot(dx, dy);
  if (length < LEAST_GAP || length > NEAR) return null;
  const style = `left: ${ends.from.x - from.x}px; top: ${ends.from.y - from.y}px; width: ${length}px; rotate: ${Math.atan2(dy, dx)}rad`;
  return h('i', { class: 'agor-zone-next', style, 'aria-hidden': 'true' });
};

const endsOf = (a: Box, b: Box): { from: { x: number; y: number }; to: { x: number; y: number } } => {
  const isRight = b.x >= a.x + a.width;
  if (isRight || b.x + b.width <= a.x) {
    // Level, where both have that height; else to its name.
    const y = a.y + NAME_AT >= b.y && a.y + NAME_AT <= b.y + b.height ? a.y + NAME_AT : b.y + NAME_AT;
    const fromY = Math.min(a.y + a.height - LEAST_GAP, Math.max(a.y + NAME_AT, y));
    return { from: { x: isRight ? a.x + a.width : a.x, y: fromY }, to: { x: isRight ? b.x : b.x + b.width, y } };
  }
  const isBelow = b.y >= a.y + a.height;
  const x = (Math.max(a.x, b.x) + Math.min(a.x + a.width, b.x + b.width)) / 2;
  return { from: { x, y: isBelow ? a.y + a.height : a.y }, to: { x, y: isBelow ? b.y : b.y + b.height } };
};

export const zone: ObjectView<'zone'> = {
  autoHeight: false,
  isContainer: true,
  isStacked: false,
  hasTip: false,
  canCopy: true,
  layoutHeight: object => object.height,
  color: object => object.color,
  tools: ({ policy }) => [
    { act: 'zone', icon: 'bolt', label: texts.zone.settings },
    ...(policy && hasTrigger(policy)
      ? ([
          {
            act: 'pause',
            option: policy.isPaused ? '' : 'yes',
            icon: policy.isPaused ? 'next' : 'pause',
            label: policy.isPaused ? texts.zone.goOn : texts.zone.pause,
          },
          { act: 'firings', icon: 'list', label: texts.zone.history },
        ] as const)
      : []),
  ],
  edit: object => ({
    text: object.name,
    isLine: true,
    action: 'Rename',
    label: 'Name of the zone',
    placeholder: 'Name',
    limit: 200,
    change: text => ({ name: text.trim() || 'Zone' }),
  }),
  open: (id, _object, { commands }) => commands.openDialog('zone', { zoneId: id }),
  // What is dropped below its end in the document lies in the part that it is shown higher by.
  onDrop: (object, box, height) => (box.y + box.height / 2 > object.y + object.height ? { height: Math.round(height) } : null),
  worktree: () => null,
  searchText: () => null,
  removal: () => 'delete',
  deleted: object => texts.keys.deleted.zone(object.name),
  size: object => ({ width: object.width, height: object.height }),
  draw(id, object, context) {
    const color = cssColor(object.color);
    const isEmpty = context.countIn(id).cards === 0;
    return h(
      'section',
      { class: 'agor-zone', 'aria-labelledby': `agor-t-${id}`, 'aria-describedby': `agor-p-${id}`, tabindex: -1 },
      h(
        'header',
        { class: 'agor-zone-h' },
        h(
          'div',
          { class: 'agor-zone-n' },
          color ? h('i', { class: 'agor-swatch', style: `--zc: ${color}` }) : null,
          h('h2', { class: 'agor-ell', id: `agor-t-${id}` }, object.name || 'Zone'),
          countElement(id, object, context),
          h('span', { class: 'agor-grow' }),
          context.isWritable
            ? h(
                'button',
                {
                  type: 'button',
                  class: 'agor-ib agor-sm agor-zone-menu',
                  'data-act': 'menu',
                  'data-of': id,
                  'aria-label': 'Zone menu',
                  tabindex: -1,
                },
                icon('more'),
              )
            : null,
        ),
        h('div', { class: 'agor-zone-p', id: `agor-p-${id}` }, headWords(id, object, context)),
      ),
      isEmpty && context.detail !== 'tile' ? emptyElement(object, context) : null,
      arrowElement(id, object, context),
    );
  },
  name: object => object.name || 'Zone',
  summary: object => ({ mark: 'idle', title: object.name, fact: '' }),
  dot: () => 'area',
  isTicking: () => false,
};
