// What canvas.js hands to later.js: React, and the modules of ours that both use. `build.mjs` reads the names from here.
import * as react from 'react';
import * as jsx from 'react/jsx-runtime';
import * as camera from './canvas/camera/camera.js';
import * as keyboard from './canvas/input/keyboard.js';
import * as geometry from './canvas/layout/geometry.js';
import * as item from './canvas/layout/item.js';
import * as placement from './canvas/layout/placement.js';
import * as objectViews from './canvas/objects/index.js';
import * as dom from './canvas/scene/dom.js';
import * as select from './canvas/tools/select.js';
import * as readers from './panels/board/Readers.js';
import * as icon from './panels/common/Icon.js';
import * as menu from './panels/common/Menu.js';
import * as problem from './panels/common/Problem.js';
import * as safe from './panels/common/safe.js';
import * as trap from './panels/common/trap.js';
import * as context from './panels/context.js';
import * as firings from './store/firings.js';
import * as objects from './store/objects.js';
import * as parked from './store/parked.js';
import * as policy from './store/policy.js';
import { texts } from './texts';
import * as http from './transport/http.js';

export const kit = {
  react: react,
  'react/jsx-runtime': jsx,
  'canvas/camera/camera': camera,
  'canvas/input/keyboard': keyboard,
  'canvas/layout/geometry': geometry,
  'canvas/layout/item': item,
  'canvas/layout/placement': placement,
  'canvas/objects': objectViews,
  'canvas/scene/dom': dom,
  'canvas/tools/select': select,
  'panels/context': context,
  'panels/common/Problem': problem,
  'panels/common/trap': trap,
  'panels/common/Icon': icon,
  'panels/common/Menu': menu,
  'panels/board/Readers': readers,
  'panels/common/safe': safe,
  'store/firings': firings,
  'store/objects': objects,
  'store/parked': parked,
  'store/policy': policy,
  texts: { texts },
  'transport/http': http,
};
