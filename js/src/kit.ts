// What canvas.js hands to later.js: React, and the modules of ours that both use. `build.mjs` reads the names from here.
import * as react from 'react';
import * as jsx from 'react/jsx-runtime';

import * as context from './panels/context.js';
import * as dialog from './panels/Dialog.js';
import * as icon from './panels/Icon.js';
import * as menu from './panels/Menu.js';
import * as readers from './panels/Readers.js';
import * as safe from './panels/safe.js';
import * as parked from './store/parked.js';
import { texts } from './texts.js';
import * as http from './transport/http.js';

export const kit = {
  react: react,
  'react/jsx-runtime': jsx,
  'panels/context': context,
  'panels/Dialog': dialog,
  'panels/Icon': icon,
  'panels/Menu': menu,
  'panels/Readers': readers,
  'panels/safe': safe,
  'store/parked': parked,
  texts: { texts },
  'transport/http': http,
};
