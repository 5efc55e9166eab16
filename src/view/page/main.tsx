import { render } from 'preact';
import { App } from './app.js';
import { followSet } from './set-info.js';
import './style/page.css';
import { followTheme } from './theme.js';

followTheme();
void followSet();
const root = document.getElementById('page');
if (root) {
  root.textContent = '';
  render(<App />, root);
}
