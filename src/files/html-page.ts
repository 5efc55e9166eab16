import { escapeHtml } from './escape-html.js';

/** The parts of an HTML page that differ between the pages that relflow writes. */
export interface HtmlPage {
  /** Plain text, which is escaped. */
  readonly title: string;
  /** CSS rules, each line ending with a line break. */
  readonly style: string;
  /** HTML with escaped texts, each line ending with a line break. */
  readonly body: string;
}

/** Returns a self-contained HTML page: its content security policy forbids scripts and requests. */
export const htmlPage = ({ title, style, body }: HtmlPage): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title>
<style>
${style}</style>
</head>
<body>
${body}</body>
</html>
`;
