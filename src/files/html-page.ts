import { escapeHtml } from './escape-html.js';

/** What differs between the pages that relflow writes. */
export interface HtmlPage {
  /** Plain text. */
  readonly title: string;
  /** Rules of CSS, each line ended. */
  readonly style: string;
  /** HTML whose texts are escaped, each line ended. */
  readonly body: string;
}

/** A page that holds all it needs: its content policy forbids scripts and requests. */
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
