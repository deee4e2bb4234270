// A zone: a named rectangle that carries the cards in it.
import type { Zone } from '../../protocol/generated';
import { texts } from '../../texts';
import { h, icon } from '../dom';
import type { Box, ObjectView } from '../types';
import { cssColor } from './colors';

/** One that is pressed and not drawn. */
export const ZONE_SIZE = { width: 296, height: 560 };

export const newZone = (box: Box): Zone => ({ kind: 'zone', ...box, name: 'Zone', color: '' });

export const zone: ObjectView<'zone'> = {
  autoHeight: false,
  isContainer: true,
  isStacked: false,
  hasTip: false,
  canCopy: true,
  layoutHeight: object => object.height,
  color: object => object.color,
  edit: object => ({
    text: object.name,
    isLine: true,
    action: 'Rename',
    label: 'Name of the zone',
    placeholder: 'Name',
    limit: 200,
    change: text => ({ name: text.trim() || 'Zone' }),
  }),
  open: (id, _object, host) => host.edit(id),
  // What is dropped below its end in the document lies in the part that it is shown higher by.
  onDrop: (object, box, height) => (box.y + box.height / 2 > object.y + object.height ? { height: Math.round(height) } : null),
  worktree: () => null,
  searchText: () => null,
  removal: () => 'delete',
  deleted: object => texts.keys.deleted.zone(object.name),
  size: object => ({ width: object.width, height: object.height }),
  draw(id, object, context) {
    const color = cssColor(object.color);
    const { cards, needs } = context.countIn(id);
    return h(
      'section',
      { class: 'agor-zone', 'aria-labelledby': `agor-t-${id}`, tabindex: -1 },
      h(
        'header',
        { class: 'agor-zone-h' },
        h(
          'div',
          { class: 'agor-zone-n' },
          color ? h('i', { class: 'agor-swatch', style: `--zc: ${color}` }) : null,
          h('h2', { class: 'agor-ell', id: `agor-t-${id}` }, object.name || 'Zone'),
          h('span', { class: 'agor-lim', 'aria-label': `${cards} cards${needs ? `, ${needs} need you` : ''}` }, String(cards)),
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
        h('div', { class: 'agor-zone-p' }, 'No trigger'),
      ),
      cards === 0 && context.detail !== 'tile' ? h('p', { class: 'agor-zone-empty' }, 'A place to sort cards. Nothing runs.') : null,
    );
  },
  name: object => object.name || 'Zone',
  summary: object => ({ mark: 'idle', title: object.name, fact: '' }),
  dot: () => 'area',
  isTicking: () => false,
};
