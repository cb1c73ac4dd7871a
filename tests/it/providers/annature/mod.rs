mod changes;
mod create;
mod lists;
mod lists_v1;
mod register;
mod retries;
