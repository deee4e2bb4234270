import { LabIcon } from '@jupyterlab/ui-components';

const svgstr =
  `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16"><g class="jp-icon3" fill="none" stroke="#616161" stroke-width="1.5" stroke-linejoin="round"><rect x="2" y="2.5" width="5" height="4.5" rx="1"/><rect x="9" y="2.5" width="5" height="4.5" rx="1"/><rect x="2" y="9" width="5" height="4.5" rx="1"/><rect x="9" y="9" width="5" height="4.5" rx="1"/></g></svg>`.replace(
    'fill="none" stroke="#616161"',
    'fill="none" stroke="var(--jp-inverse-layout-color3, #616161)"',
  );

export const boardIcon = new LabIcon({ name: 'agor-jupyter:board', svgstr });
