import { expect, test } from 'vitest';

import { texts } from './texts.js';

test('a page without a server says what to do', () => {
  expect(texts.host.noServer('a.agor')).toContain('Open the notebook in JupyterLab');
});
