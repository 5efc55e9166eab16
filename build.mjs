// Copies the data files of src beside the compiled code: lexicons, vocabularies, models.
import { cpSync } from 'node:fs';

cpSync('src', 'dist/src', { recursive: true, filter: (path) => !path.endsWith('.ts') && !path.endsWith('.md') });
