// Entry point `relflow/model`, reserved: the model room is built by its own issue.
export {};
