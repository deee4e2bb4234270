// A zone: a named rectangle that carries the cards in it.
import { h, icon } from '../dom';
import type { ObjectView } from '../types';
import { cssColor } from './colors';

export const zone: ObjectView<'zone'> = {
  isNatural: false,
  isGround: true,
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
  dot: () => 'zone',
  isTicking: () => false,
};
