// Elements from data. Text is always a text node, with nothing hidden in it; the only markup that is parsed is our own icon set.

import type { IconName } from '../../icons';
import { icons, isIcon } from '../../icons';
import { visible } from '../../store/visible';

type Child = Node | string | null | undefined | false;
type Attributes = Readonly<Record<string, string | number | boolean | null | undefined>>;

export const h = (tag: string, attributes: Attributes | null, ...children: readonly (Child | readonly Child[])[]): HTMLElement => {
  const element = document.createElement(tag);
  if (attributes) {
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      element.setAttribute(name, value === true ? '' : name === 'title' || name === 'aria-label' ? visible(String(value)) : String(value));
    }
  }
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    element.append(typeof child === 'string' ? visible(child) : child);
  }
  return element;
};

const drawn = new Map<string, SVGSVGElement>();

/** An icon of the set, hidden from assistive technology; an unknown name is an empty box of the same size. */
export const icon = (name: IconName | (string & {}), size: 16 | 14 | 12 = 16): SVGSVGElement => {
  const key = `${name}/${size}`;
  let svg = drawn.get(key);
  if (!svg) {
    svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('class', size === 16 ? 'agor-i' : `agor-i agor-s${size}`);
    svg.setAttribute('viewBox', '0 0 16 16');
    svg.setAttribute('aria-hidden', 'true');
    svg.dataset['icon'] = name;
    svg.innerHTML = isIcon(name) ? icons[name] : '';
    if (drawn.size < 400) drawn.set(key, svg);
  }
  return svg.cloneNode(true) as SVGSVGElement;
};

/** A state's mark: shape first, colour second, and a name. */
export const mark = (state: string, label: string, size: 16 | 14 | 12 = 16): HTMLElement =>
  h('span', { class: `agor-st agor-st-${state}`, role: 'img', 'aria-label': label, title: label }, icon(`st-${state}`, size));

export const avatar = (face: { readonly name: string; readonly initials: string; readonly color: string }): HTMLElement =>
  h('span', { class: 'agor-av', role: 'img', 'aria-label': face.name, title: face.name, style: `--c: ${face.color}` }, face.initials);

export const agentTile = (iconName: string, name: string): HTMLElement =>
  h('span', { class: 'agor-agent', role: 'img', 'aria-label': name, title: name }, icon(isIcon(iconName) ? iconName : 'ag-agent'));

/**
 * Makes `from` look like `to` and keeps the nodes that fit, so that focus, hover and running animations survive a change.
 */
export const morph = (from: Element, to: Element): void => {
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  const old = [...from.childNodes];
  const next = [...to.childNodes];
  for (const [i, node] of next.entries()) {
    const kept = old[i];
    if (kept === undefined) from.append(node);
    else if (isAlike(kept, node)) {
      if (kept instanceof Element) {
        // An icon of the same name is the same icon.
        if (!(kept instanceof SVGElement)) morph(kept, node as Element);
        else if (kept.getAttribute('class') !== (node as Element).getAttribute('class'))
          kept.setAttribute('class', (node as Element).getAttribute('class') ?? '');
      } else if (kept.nodeValue !== node.nodeValue) kept.nodeValue = node.nodeValue;
    } else kept.replaceWith(node);
  }
  for (const rest of old.slice(next.length)) rest.remove();
};

const isAlike = (a: Node, b: Node): boolean => {
  if (a.nodeName !== b.nodeName) return false;
  if (!(a instanceof Element) || !(b instanceof Element)) return true;
  return a instanceof SVGElement
    ? a.getAttribute('data-icon') === b.getAttribute('data-icon')
    : a.getAttribute('data-key') === b.getAttribute('data-key') && a.getAttribute('data-act') === b.getAttribute('data-act');
};
