/**
 * Formats a row of a CSV file (RFC 4180), with its line break: fields with a comma, a quotation mark, a line break or
 * white space at an end are quoted.
 */
export function csvLine(fields: readonly (string | number | undefined)[]): string {
  return `${fields.map(csvField).join(',')}\n`;
}

function csvField(value: string | number | undefined): string {
  const text = value === undefined ? '' : String(value);
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
