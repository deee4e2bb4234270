// The line of a card that says what runs beside it.
import type { EnvironmentLine } from '../../store/environments';
import { visible } from '../../store/visible';
import { texts } from '../../texts';
import { h, icon } from '../scene/dom';

const iconButton = (act: string, of: string, option: string, label: string, symbol: 'external' | 'play' | 'stop', isWaiting: boolean): HTMLElement =>
  h(
    'button',
    {
      type: 'button',
      class: 'agor-ib agor-sm',
      'data-act': act,
      'data-of': of,
      'data-option': option,
      'aria-label': label,
      'aria-disabled': isWaiting ? 'true' : null,
      title: label,
      tabindex: -1,
    },
    icon(symbol, 14),
  );

export const environmentElement = (line: EnvironmentLine, worktreeId: string, isWaiting: boolean): HTMLElement =>
  h(
    'div',
    { class: 'agor-card-e', 'data-environment': line.mark },
    h(
      'button',
      {
        type: 'button',
        class: 'agor-card-e-w',
        'data-act': 'changes',
        'data-of': worktreeId,
        title: visible(line.detail) || texts.environment.show,
        'aria-label': `${texts.environment.title}: ${line.state}${line.text ? `, ${visible(line.text)}` : ''}`,
        tabindex: -1,
      },
      h('span', { class: `agor-mark agor-tone-${line.tone}` }, icon(`st-${line.mark}`, 12)),
      h('span', { class: line.isFailed ? 'agor-fail-text' : '' }, line.state),
      line.text ? h('span', { class: 'agor-ell agor-t3' }, visible(line.text)) : null,
    ),
    line.link === null ? null : iconButton('open-link', worktreeId, line.link, texts.environment.open(visible(line.link)), 'external', false),
    line.deed === null
      ? null
      : iconButton('environment', worktreeId, line.deed, texts.environment.deeds[line.deed], line.deed === 'start' ? 'play' : 'stop', isWaiting),
  );
