// What canvas.js hands to later.js: React, and the modules of ours that both use. `build.mjs` reads the names from here.
import * as react from 'react';
import * as jsx from 'react/jsx-runtime';
import * as readers from './panels/board/Readers.js';
import * as dialog from './panels/common/Dialog.js';
import * as icon from './panels/common/Icon.js';
import * as menu from './panels/common/Menu.js';
import * as safe from './panels/common/safe.js';
import * as context from './panels/context.js';
import * as parked from './store/parked.js';
import { texts } from './texts.js';
import * as http from './transport/http.js';

export const kit = {
  react: react,
  'react/jsx-runtime': jsx,
  'panels/context': context,
  'panels/common/Dialog': dialog,
  'panels/common/Icon': icon,
  'panels/common/Menu': menu,
  'panels/board/Readers': readers,
  'panels/common/safe': safe,
  'store/parked': parked,
  texts: { texts },
  'transport/http': http,
};
