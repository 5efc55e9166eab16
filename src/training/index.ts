// Entry point `relflow/training`, reserved: the training room is built by its own issue.
export {};
