/** Source of a regular expression for the text of `randomUUID`, as in names of files and ids of runs. */
export const uuidPattern = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
