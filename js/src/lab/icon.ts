import { LabIcon } from '@jupyterlab/ui-components';

const square = (x: number, y: number) => `<rect x="${x}" y="${y}" width="5.5" height="5.5" rx="1.2"/>`;
const svgstr = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16"><g class="jp-icon3 jp-icon-selectable" fill="#616161">${square(2, 2)}${square(8.5, 2)}${square(2, 8.5)}${square(8.5, 8.5)}</g></svg>`;

export const boardIcon = new LabIcon({ name: 'agor-jupyter:board', svgstr });
