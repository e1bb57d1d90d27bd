import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { staticFiles } from '../../staticFiles';
import { renderPage } from './boardServer';
import { loginPage } from './loginPage';

describe("the jobs board's page", () => {
  const template = readFileSync(
    join(staticFiles('bull-board', '@bull-board/ui', '.'), 'dist/index.ejs'),
    'utf8',
  );
  const params = {
    basePath: '/ops/jobs/',
    title: 'Wake-ups <of> "us"',
    favIconDefault: 'a.svg',
    favIconAlternative: 'a.png',
    uiConfig: '{"a":"\\u003c"}',
  };

  it('has its values put in, text escaped, and asks nobody else for anything', () => {
    expect(template).toContain('https://fonts.googleapis.com');
    const page = renderPage(template, params);
    expect(page).toContain('<base href="/ops/jobs/" />');
    expect(page).toContain('<title>Wake-ups &#60;of&#62; &#34;us&#34;</title>');
    expect(page).toContain('<script id="__UI_CONFIG__" type="application/json">{"a":"\\u003c"}</script>');
    expect(page).not.toMatch(/<%|(?:href|src)="https?:/);
  });

  it('is refused when it wants what it is not given: it is of another version', () => {
    expect(() => renderPage('<%= colour %>', params)).toThrow('wants "colour"');
  });
});

describe('the page to log in', () => {
  it('shows what went wrong as text', () => {
    expect(loginPage('<script>')).toContain('<p class="problem" role="alert">&#60;script&#62;</p>');
    expect(loginPage(null)).not.toContain('role="alert"');
  });
});
